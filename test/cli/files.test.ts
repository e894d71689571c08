/** `apply` and `export` as commands: what they print, ask and end with. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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

  async function run(args: string[], input = '') {
    const env = { PATH: process.env['PATH'], NODE_ENV: 'test', GATEHOUSE_DATA_DIR: path.join(folder, 'data') };
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { stdout, stderr, code };
  }

  it('show a plan, do nothing unasked, apply, and export what applies to nothing', async () => {
    const dry = await run(['apply', '-f', 'all', '--dry-run']);
    expect([dry.code, dry.stderr]).toEqual([2, '']);
    expect(dry.stdout).toMatch(/^\+ create api orders \(Orders\)$/m);
    expect(dry.stdout).toMatch(/^\+ create client shop \(Shop .\[31mred\)$|^\+ create client shop$/m);
    expect(dry.stdout).not.toContain('\u001b');

    const unasked = await run(['apply', '-f', 'all']);
    expect([unasked.code, unasked.stderr]).toEqual([1, expect.stringContaining('say --yes')]);
    const done = await run(['apply', '-f', 'all', '--yes']);
    expect([done.code, done.stdout.trimEnd().split('\n').at(-1)]).toEqual([0, '2 changes made.']);

    const exported = await run(['export']);
    const again = await run(['apply', '-f', '-', '--dry-run', '--prune'], exported.stdout);
    expect([again.code, again.stdout]).toEqual([0, 'Nothing to change.\n']);

    const json = await run(
      ['apply', '-f', '-', '--yes', '--json'],
      'kind: api\nclient_id: orders\nclient_name: Sales\n',
    );
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
      0,
      { applied: 1, changes: [{ act: 'change', kind: 'api', id: 'orders', changes: [{ field: 'client_name' }] }] },
    ]);
  });

  it('name what is wrong with a file, and end with 1', async () => {
    const { code, stdout, stderr } = await run(['apply', '-f', '-', '--dry-run'], 'kind: api\nclient_nam: x\n');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('standard input:2: client_nam is not known; the nearest is client_name');
    expect((await run(['apply', '-f', 'nowhere.yaml', '--dry-run'])).stderr).toContain('nowhere.yaml does not exist');
    expect((await run(['export', '--kind', 'nonsense'])).code).toBe(1);
  });
});
