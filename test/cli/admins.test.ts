/** The commands about admins, on a store of their own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-admins-'));
afterAll(() => rmSync(folder, { recursive: true }));
const main = path.resolve(import.meta.dirname, '../../src/cli/main.js');

async function gatehouse(...args: string[]): Promise<unknown> {
  const env = { PATH: process.env['PATH'], NODE_ENV: 'test', GATEHOUSE_DATA_DIR: folder, GATEHOUSE_LOG_LEVEL: 'error' };
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args, '--json'], { env });
  return JSON.parse(stdout);
}

describe('admins', () => {
  it('are made, listed, unmade, and get a link', async () => {
    await gatehouse('user', 'create', '--email', 'bob@example.com', '--name', 'Bob');
    expect(await gatehouse('admin', 'create', '--email', 'ada@example.com', '--name', 'Ada')).toMatchObject({
      roles: ['admin'],
      email_verified: true,
    });
    await gatehouse('admin', 'grant', 'bob@example.com');
    expect(await gatehouse('admin', 'list')).toHaveLength(2);
    await gatehouse('admin', 'revoke', 'ada@example.com');
    expect(await gatehouse('admin', 'list')).toMatchObject([{ email: 'bob@example.com' }]);
    expect(await gatehouse('user', 'list', '--search', 'ada')).toMatchObject([{ email: 'ada@example.com' }]);
    expect(await gatehouse('admin', 'link')).toMatchObject({
      url: expect.stringMatching(/\/admin\/first\?link=[\w-]{43}$/),
    });
  });
});
