/** The commands about keys, beside a server on one SQLite file. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { keyIds } from '../support/keys.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.js');
const [OLD, NEW] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];

interface Listed {
  keys: { id: string; alg: string; state: string; next_state: string | null; next_change_at: string | null }[];
  fetched: { address: string; user_agent: string }[];
}

describe('the commands about keys', () => {
  let folder: string;
  let gatehouse: Running;
  let env: Record<string, string>;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-cli-keys-'));
    env = {
      NODE_ENV: 'test',
      GATEHOUSE_DATA_DIR: folder,
      GATEHOUSE_STORAGE_URL: `sqlite:${path.join(folder, 'gatehouse.db')}`,
      GATEHOUSE_SECRETS_ENCRYPTION_KEY: `${OLD},${NEW}`,
      GATEHOUSE_SECRETS_COOKIE_KEYS: 'a-cookie-key-of-these-tests',
      GATEHOUSE_LOG_LEVEL: 'error',
    };
    gatehouse = await startGatehouse(env);
  }, 60_000);
  afterAll(async () => {
    await gatehouse.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(
    args: string[],
    extra: Record<string, string> = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const options = { env: { PATH: process.env['PATH'], ...env, ...extra } };
    try {
      return { code: 0, ...(await promisify(execFile)(process.execPath, [MAIN, ...args], options)) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  }
  async function json<T>(args: string[], extra?: Record<string, string>): Promise<T> {
    const { code, stdout, stderr } = await run([...args, '--json'], extra);
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as T;
  }

  it('list what comes when and who asked, publish, remove, and the server follows', { timeout: 120_000 }, async () => {
    const before = await json<Listed>(['keys', 'list']);
    expect(before.keys.map(({ alg, state, next_state }) => [alg, state, next_state])).toEqual([
      ['ES256', 'active', 'retiring'],
      ['RS256', 'active', 'retiring'],
    ]);
    const inNinetyDays = Date.now() + 90 * 86_400_000;
    expect(Math.abs(Date.parse(before.keys[0]!.next_change_at!) - inNinetyDays)).toBeLessThan(600_000);

    const { published } = await json<{ published: { id: string; signs_at: string }[] }>([
      'keys',
      'rotate',
      '--alg',
      'ES256',
    ]);
    expect(published).toMatchObject([{ alg: 'ES256', state: 'next' }]);
    await expect.poll(() => keyIds(gatehouse.issuer)).toContain(published[0]!.id);
    expect(await json(['keys', 'rotate', '--alg', 'ES256'])).toEqual({ published: [] });
    expect((await run(['keys', 'rotate', '--alg', 'ES256'])).stdout).toContain('published already');

    await gatehouse.keys.fetches.flush();
    const after = await json<Listed>(['keys', 'list']);
    expect(after.keys[1]).toMatchObject({
      id: published[0]!.id,
      next_state: 'active',
      next_change_at: published[0]!.signs_at,
    });
    expect(after.keys[0]).toMatchObject({ next_change_at: published[0]!.signs_at });
    expect(after.fetched.length).toBeGreaterThan(0);
    const shown = (await run(['keys', 'list'])).stdout;
    expect(shown).toContain('The key set was fetched since');
    expect(shown).toContain('127.0.0.1');
    expect(JSON.stringify(after)).not.toContain('sealed');

    const bad = after.keys[0]!.id;
    const { removed } = await json<{ removed: { id: string }[] }>(['keys', 'rotate', '--compromised', '--key', bad]);
    expect(removed.map(({ id }) => id)).toEqual([bad]);
    await expect.poll(() => keyIds(gatehouse.issuer)).not.toContain(bad);
    const acts = await gatehouse.audit.search({});
    expect(acts.items.map(({ type, actor }) => [type, actor.kind]).slice(0, 2)).toEqual([
      ['signing_keys_removed', 'operator'],
      ['signing_keys_published', 'operator'],
    ]);
  });

  it.each([
    [['keys', 'rotate', '--key', 'x'], 1, '--key goes with --compromised'],
    [['keys', 'rotate', '--compromised', '--key', 'x'], 1, 'no signing key x'],
    [['keys', 'rotate', '--alg', 'PS256'], 1, 'PS256 is not one of keys.algorithms'],
    [['keys', 'rotate', '--alg', 'none'], 2, 'Allowed choices'],
  ] as const)('say what is wrong with %j', { timeout: 60_000 }, async (args, code, words) => {
    const answer = await run([...args]);
    expect([answer.code, answer.stdout]).toEqual([code, '']);
    expect(answer.stderr).toContain(words);
  });

  it(
    'encrypt anew with the key in first place, and refuse a store that they cannot open',
    { timeout: 120_000 },
    async () => {
      const done = await json<Record<string, unknown>>(['secrets', 'rotate'], {
        GATEHOUSE_SECRETS_ENCRYPTION_KEY: `${NEW},${OLD}`,
      });
      expect(done).toMatchObject({ unreadable: 0, keys: expect.any(Number) as number });
      expect(Date.parse(String(done['remove_former_keys_after']))).toBeGreaterThan(Date.now());
      expect((await run(['keys', 'list'], { GATEHOUSE_SECRETS_ENCRYPTION_KEY: NEW })).code).toBe(0);
      const wrong = await run(['keys', 'list'], {
        GATEHOUSE_SECRETS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      });
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toContain('secrets.encryption_key is not the one they were stored with');
      // The server, which knows both, goes on.
      expect((await fetch(`${gatehouse.issuer}/jwks`)).status).toBe(200);
    },
  );

  it('need a signer that can be loaded', { timeout: 60_000 }, async () => {
    const { code, stderr } = await run(['keys', 'list'], { GATEHOUSE_KEYS_SIGNER: './nowhere.ts' });
    expect(code).toBe(1);
    expect(stderr).toContain('keys.signer: ./nowhere.ts cannot be loaded');
  });
});
