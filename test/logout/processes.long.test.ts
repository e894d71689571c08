/** Several processes on one store tell each app once, and what a killed one had in hand is told by another. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assembleBackstage } from '../../src/assemble-backstage.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/log.ts';
import { eventually } from '../support/eventually.ts';
import { backToNow, passTime } from '../support/journey.ts';
import { startLogOutReceiver } from '../support/log-out-receiver.ts';
import type { LogOutReceiver } from '../support/log-out-receiver.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { MONGODB_TEST_URI, testDatabase } from '../storage/support/test-database.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.js');
const LONG = 120_000;

type Backstage = Awaited<ReturnType<typeof assembleBackstage>>;

describe.each(['SQLite', ...(MONGODB_TEST_URI ? ['MongoDB'] : [])])('on %s', (driver) => {
  let folder: string;
  let storage: { url: string; drop: () => Promise<void> };
  let env: Record<string, string>;
  let receiver: LogOutReceiver;
  /** The use cases without a server: it queues, and tells nobody. */
  let backstage: Backstage;
  let children: ChildProcess[];
  let gatehouse: Running | undefined;
  let clientId: string;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-log-out-'));
    storage =
      driver === 'MongoDB'
        ? testDatabase()
        : { url: `sqlite:${path.join(folder, 'gatehouse.db')}`, drop: async () => undefined };
    receiver = await startLogOutReceiver();
    env = {
      GATEHOUSE_ISSUER: 'http://localhost:3999',
      GATEHOUSE_DATA_DIR: folder,
      GATEHOUSE_STORAGE_URL: storage.url,
      GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true',
    };
    children = [];
    gatehouse = undefined;
    backstage = await assembleBackstage(loadConfig({ NODE_ENV: 'test', ...env }), createLogger('silent'));
    const { client } = await backstage.clients.register({
      type: 'web',
      name: 'Notes',
      redirect_uris: ['https://notes.example/callback'],
      backchannel_logout_uri: receiver.url,
    });
    clientId = client.id;
  });
  afterEach(async () => {
    backToNow();
    for (const child of children) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    }
    await gatehouse?.stop();
    await backstage.close();
    await receiver.stop();
    await storage.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startProcess(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env['PATH'], NODE_ENV: 'test', GATEHOUSE_PORT: '0', GATEHOUSE_LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  /** An app takes part in a session that nobody has: enough to be told of its end. */
  async function takePart(session: string): Promise<void> {
    const sid = `sid-${session}`;
    const app = { client_id: clientId, account_id: `usr_${session}`, session_uid: session, sid, offline: false };
    await backstage.logOuts.apps.note(app);
  }
  const end = (session: string) => backstage.logOuts.endings.session({ sessionUid: session, cause: 'session_ended' });
  const told = () => receiver.claims().map(({ sid }) => sid);
  const waiting = async () => (await backstage.storage.logout.list('waiting', { limit: 500 })).items;
  const allTold = () => eventually(async () => expect(await waiting()).toHaveLength(0), { patienceMs: LONG / 2 });

  it('three processes tell of 60 log-outs once each', { timeout: LONG }, async () => {
    await Promise.all([startProcess(), startProcess()]);
    gatehouse = await startGatehouse(env);
    const sessions = Array.from({ length: 60 }, (_, index) => `s${String(index).padStart(2, '0')}`);
    await Promise.all(sessions.map(takePart));
    await Promise.all(sessions.map(end));
    await allTold();
    expect(told().toSorted()).toEqual(sessions.map((session) => `sid-${session}`));
  });

  it('what a killed process had in hand another tells, by the same token id', { timeout: LONG }, async () => {
    receiver.answer(() => undefined);
    const child = await startProcess();
    for (const session of ['a', 'b', 'c']) await takePart(session);
    for (const session of ['a', 'b', 'c']) await end(session);
    await eventually(() => expect(receiver.tokens.length).toBeGreaterThanOrEqual(1));
    child.kill('SIGKILL');
    await once(child, 'exit');
    receiver.status(200);
    const before = receiver.claims().map(({ jti }) => jti);

    passTime(600);
    gatehouse = await startGatehouse(env);
    await allTold();
    const after = receiver.claims().slice(before.length);
    expect(after.map(({ sid }) => sid).toSorted()).toEqual(['sid-a', 'sid-b', 'sid-c']);
    for (const jti of before) expect(after.map((claims) => claims.jti)).toContain(jti);
    const distinct = new Set(receiver.claims().map(({ jti }) => jti));
    expect(distinct.size).toBe(3);
  });

  it('a log-out whose process was killed between two steps is completed by another', { timeout: LONG }, async () => {
    await takePart('a');
    const logOut = { id: 'broken-off', cause: 'session_ended', scope: { of: 'session', session_uid: 'a' } } as const;
    await backstage.logOuts.queue.add(logOut, [], { itself: true });
    gatehouse = await startGatehouse(env);
    passTime(31);
    await eventually(() => expect(told()).toEqual(['sid-a']));
    await allTold();
    expect(gatehouse.logged.map(({ msg }) => msg)).toContain('a log-out that was broken off has been completed');
    expect(await backstage.logOuts.apps.ofSession('a')).toEqual([]);
  });
});
