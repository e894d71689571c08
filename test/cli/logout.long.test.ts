import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { signInTo, startParty, toldTimes } from '../support/log-out-receiver.ts';
import type { Party } from '../support/log-out-receiver.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.js');
type Listed = { id: string; client_id: string; account_id: string | null; problem: string | null };

describe('the log-out commands beside a server', () => {
  let folder: string;
  let gatehouse: Running;
  let env: Record<string, string>;
  let parties: Party[];
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-cli-logout-'));
    env = {
      NODE_ENV: 'test',
      GATEHOUSE_DATA_DIR: folder,
      GATEHOUSE_STORAGE_URL: `sqlite:${path.join(folder, 'gatehouse.db')}`,
      GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true',
    };
    gatehouse = await startGatehouse(env);
    parties = [await startParty(gatehouse, 'Notes'), await startParty(gatehouse, 'Photos')];
  });
  afterAll(async () => {
    for (const party of parties) await party.stop();
    await gatehouse.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(args: string[]) {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'], ...env } });
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('close', resolve)),
    ]);
    return { stdout, stderr, code };
  }

  it('show which apps could not be told and why, and have them told again', { timeout: 120_000 }, async () => {
    const person = await gatehouse.person();
    const browser = new Browser(gatehouse.issuer);
    for (const party of parties) {
      party.status(501);
      await signInTo(party, person, browser);
    }
    // By the command line too: it queues, the server tells.
    expect((await run(['user', 'suspend', person.email])).code).toBe(0);
    await eventually(async () => expect((await gatehouse.storage.logout.list('given_up', {})).items).toHaveLength(2));

    const list = await run(['logout', 'list', '--json']);
    expect([list.code, list.stderr]).toEqual([0, '']);
    const listed = JSON.parse(list.stdout) as Listed[];
    const facts = { account_id: person.sub, cause: 'suspended', state: 'given_up', problem: 'answered 501' };
    expect(listed).toMatchObject([facts, facts]);
    expect(listed.map(({ client_id }) => client_id).toSorted()).toEqual(
      parties.map(({ app }) => app.client_id).toSorted(),
    );
    for (const { tokens } of parties) expect(list.stdout).not.toContain(tokens[0]);
    expect(list.stdout).not.toContain(String(parties[0]!.claims()[0]!['sid']));

    for (const party of parties) party.status(200);
    const [first] = listed;
    expect((await run(['logout', 'retry', first!.id])).code).toBe(0);
    await toldTimes(
      parties.find(({ app }) => app.client_id === first!.client_id)!,
      2,
    );
    expect(JSON.parse((await run(['logout', 'retry', 'all', '--json'])).stdout)).toEqual({ retried: 1 });
    for (const party of parties) await toldTimes(party, 2);
    await eventually(async () => expect((await run(['logout', 'list'])).stdout).toBe('none\n'));

    const unknown = await run(['logout', 'retry', 'nonsense']);
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('no delivery nonsense');
  });
});
