/** `apply` and `export` as commands: what they print, ask and end with. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namesOfFiles, operatorNow } from '../../src/cli/operator.ts';
import { runInside } from '../support/command-line.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.js');
const SHOP = `kind: client
client_id: shop
type: web
client_name: "Shop \\e[31mred"
redirect_uris: [https://shop.example/callback]
`;

describe('apply and export', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-apply-'));
    mkdirSync(path.join(folder, 'all', 'more'), { recursive: true });
    writeFileSync(path.join(folder, 'all', 'shop.yaml'), SHOP);
    writeFileSync(
      path.join(folder, 'all', 'more', 'api.json'),
      '{"kind":"api","client_id":"orders","client_name":"Orders"}',
    );
    writeFileSync(path.join(folder, 'all', 'README.md'), '# not a resource');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const inside = (args: string[]) => runInside(args, { GATEHOUSE_DATA_DIR: path.join(folder, 'data') });

  async function run(args: string[], input = '') {
    const env = { PATH: process.env['PATH'], NODE_ENV: 'test', GATEHOUSE_DATA_DIR: path.join(folder, 'data') };
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { stdout, stderr, code };
  }

  const at = (name: string) => path.join(folder, name);
  const write = (name: string, content: string) => {
    writeFileSync(at(name), content);
    return at(name);
  };

  it('show a plan, do nothing unasked, apply, and export what applies to nothing', async () => {
    const dry = await inside(['apply', '-f', at('all'), '--dry-run']);
    expect([dry.code, dry.stderr]).toEqual([2, '']);
    expect(dry.stdout).toMatch(/^\+ create api orders \(Orders\)$/m);
    expect(dry.stdout).toContain('\n+ create client shop (Shop  [31mred)\n');

    const unasked = await inside(['apply', '-f', at('all')]);
    expect([unasked.code, unasked.stderr]).toEqual([1, expect.stringContaining('say --yes')]);
    const done = await inside(['apply', '-f', at('all'), '--yes']);
    expect([done.code, done.stdout.trimEnd().split('\n').at(-1)]).toEqual([0, '2 changes made.']);

    const exported = await inside(['export']);
    const again = await run(['apply', '-f', '-', '--dry-run', '--prune'], exported.stdout);
    expect([again.code, again.stdout]).toEqual([0, 'Nothing to change.\n']);

    const changed = write('changed.yaml', 'kind: api\nclient_id: orders\nclient_name: Sales\n');
    const json = await inside(['apply', '-f', changed, '--yes', '--json']);
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
      0,
      { applied: 1, changes: [{ act: 'change', kind: 'api', id: 'orders', changes: [{ field: 'client_name' }] }] },
    ]);
    const record = await runInside(['audit', 'list', '--target', 'orders', '--json'], {
      GATEHOUSE_DATA_DIR: path.join(folder, 'data'),
    });
    const [last, first] = JSON.parse(record.stdout) as { actor: unknown; detail: Record<string, string> }[];
    expect(last).toMatchObject({
      actor: { kind: 'operator', id: operatorNow().name },
      detail: { file: 'changed.yaml' },
    });
    expect(first!.detail['file']).toBe('all');
    // What a record holds moves no cursor of whoever reads it.
    const renamed = write('renamed.yaml', SHOP.replace(/Shop.*"/, 'Shop"'));
    const shown = await inside(['apply', '-f', renamed, '--dry-run']);
    expect(shown.stdout).toContain('~ change client shop (Shop  [31mred)\n    client_name: Shop  [31mred → Shop\n');
  });

  it('name what is wrong with a file, and end with 1', async () => {
    const wrong = write('wrong.yaml', 'kind: api\nclient_nam: x\n');
    const { code, stdout, stderr } = await inside(['apply', '-f', wrong, '--dry-run']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('wrong.yaml:2: client_nam is not known; the nearest is client_name');
    const nowhere = await inside(['apply', '-f', 'nowhere.yaml', '--dry-run']);
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('nowhere.yaml does not exist')]);
    expect((await inside(['export', '--kind', 'nonsense'])).code).toBe(1);
  });
});

describe('the record of a command', () => {
  it('names who ran it, by way of sudo too, and nothing that could be taken for something else', () => {
    const by = (user: string | undefined, sudo?: string) =>
      operatorNow(sudo === undefined ? {} : { SUDO_USER: sudo }, user).name;
    expect([by('ada'), by('root', 'ada'), by('ada', 'ada')]).toEqual(['ada', 'ada as root', 'ada']);
    expect(by('EXAMPLE\\grace.h')).toBe('EXAMPLE\\grace.h');
    expect(by('x<b>\u202e\n', '')).toBe('xb');
    expect(by('a'.repeat(500))).toHaveLength(64);
  });

  it('names files without the way to them', () => {
    expect(namesOfFiles(['/srv/token-of-somebody/clients.yaml', '-'])).toBe('clients.yaml, standard input');
    expect(namesOfFiles(['config/'])).toBe('config');
  });
});
