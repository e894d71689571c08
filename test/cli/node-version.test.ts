import { execFile } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

const PRETEND =
  'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })';

it.each(['main.js', 'cli/main.js'])(
  '%s says what an older Node lacks, and how to start with the right one',
  async (file) => {
    const program = path.resolve(import.meta.dirname, '../../src', file);
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) =>
      execFile(process.execPath, ['--import', PRETEND, program], (error, _stdout, text) =>
        resolve({ code: error?.code, stderr: text }),
      ),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Gatehouse needs Node 24 or newer, and this is 20\.20\.2\. .*npm start/);
  },
);
