import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.js');
const HASH = '$2y$05$BjtNpxPrvzq1TJg5HE/JEOrnJG97GZSaJ/IFNGwIOR6ucVjT.aP3e';

describe('user import and export', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-people-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const start = (args: string[], input?: string) => startCommand(['user', ...args], input);

  function startCommand(args: string[], input = '') {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'test',
        GATEHOUSE_DATA_DIR: path.join(folder, 'data'),
        GATEHOUSE_STORAGE_URL: `sqlite:${path.join(folder, 'data', 'gatehouse.db')}`,
      },
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const done = Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('close', resolve)),
    ]).then(([stdout, stderr, code]) => ({ stdout, stderr, code }));
    return { child, done };
  }
  const run = (args: string[], input?: string) => start(args, input).done;
  const runCommand = (args: string[]) => startCommand(args).done;
  const file = (name: string) => path.join(folder, name);
  const person = (n: number) =>
    `${JSON.stringify({ sub: `p${n}`, email: `p${n}@example.com`, name: `=P ${n}`, password_hash: HASH })}\n`;

  it('take people over, name what is wrong by line, and give the same out again', async () => {
    writeFileSync(file('people.jsonl'), `${person(1)}{"email":"nobody"}\n${person(2)}`);
    const imported = await run(['import', 'people.jsonl', '--json']);
    expect(JSON.parse(imported.stdout)).toEqual({ imported: 2, exists: 0, bad: 1 });
    expect(imported.stderr).toContain('line 2: email is not an e-mail address');
    expect(imported.code).toBe(1);
    expect(existsSync(file('people.jsonl.progress'))).toBe(false);

    expect((await run(['export', 'out.csv'])).code).toBe(0);
    expect(statSync(file('out.csv')).mode & 0o777).toBe(0o600);
    const csv = readFileSync(file('out.csv'), 'utf8');
    expect(csv).toContain("p1,p1@example.com,false,'=P 1");
    expect(csv).not.toContain(HASH);
    expect((await run(['export', 'out.csv'])).stderr).toContain('EEXIST');
    expect((await run(['export', '--with-password-hashes'])).stdout).toContain(JSON.stringify(HASH));

    const again = await run(['import', '-', '--format', 'csv', '--json'], csv);
    expect(JSON.parse(again.stdout)).toEqual({ imported: 0, exists: 2, bad: 0 });
    expect(again.code).toBe(0);

    const { stdout } = await runCommand(['audit', 'export']);
    const acts = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(acts).toEqual(['people_imported', 'people_exported', 'people_exported', 'people_imported']);
  });

  it('go on where a run was killed', async () => {
    const people = 5000;
    for (let n = 0; n < people; n += 1000)
      appendFileSync(file('people.jsonl'), Array.from({ length: 1000 }, (_, index) => person(n + index)).join(''));
    const first = start(['import', 'people.jsonl']);
    while (!existsSync(file('people.jsonl.progress'))) await new Promise((resolve) => setTimeout(resolve, 5));
    first.child.kill('SIGKILL');
    await first.done;

    const second = await run(['import', 'people.jsonl', '--json']);
    expect(second.stderr).toMatch(/going on after line \d+00;/);
    const { imported, exists, bad } = JSON.parse(second.stdout) as Record<string, number>;
    const before = Number(/after line (\d+)/.exec(second.stderr)![1]);
    expect({ bad, seen: imported! + exists! + before }).toEqual({ bad: 0, seen: people });
    // At most what was durable when the note of it was not yet written.
    expect(exists).toBeLessThanOrEqual(100);
    expect((await run(['import', 'people.jsonl', '--dry-run', '--json'])).stdout).toContain(`"exists": ${people}`);
  });

  it.each([
    [['import', 'missing.csv'], /no such file.*missing\.csv/],
    [['import', 'people.xlsx'], /--format csv or --format jsonl/],
    [['import', 'people', '--format', 'xml'], /--format csv or --format jsonl/],
  ])('say what is wrong: %j', async (args, words) => {
    const { code, stderr } = await run(args);
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain('    at ');
    expect(code).toBe(1);
  });

  it('do not trust a note of progress that is damaged', async () => {
    writeFileSync(file('people.jsonl'), person(1));
    writeFileSync(file('people.jsonl.progress'), 'oops');
    expect((await run(['import', 'people.jsonl'])).stderr).toContain('use --restart');
    expect((await run(['import', 'people.jsonl', '--restart', '--json'])).stdout).toContain('"imported": 1');
  });
});
