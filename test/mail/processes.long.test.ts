/** Several processes on one store send each mail once, and what a killed one had in hand is not lost. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, backToNow, passTime } from '../support/journey.ts';
import { startMailServer } from '../support/mail-server.ts';
import type { MailServer, Misbehaviour } from '../support/mail-server.ts';
import { MONGODB_TEST_URI, testDatabase } from '../storage/support/test-database.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.js');
const LONG = 60_000;

describe.each(['SQLite', ...(MONGODB_TEST_URI ? ['MongoDB'] : [])])('on %s', (driver) => {
  let folder: string;
  let storage: { url: string; drop: () => Promise<void> };
  let server: MailServer;
  let env: Record<string, string>;
  let children: ChildProcess[];
  let gatehouse: Running | undefined;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-mail-'));
    storage =
      driver === 'MongoDB'
        ? testDatabase()
        : { url: `sqlite:${path.join(folder, 'gatehouse.db')}`, drop: async () => undefined };
    children = [];
    gatehouse = undefined;
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
    await server.stop();
    await storage.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function prepare(behaviour?: Misbehaviour): Promise<void> {
    server = await startMailServer(behaviour);
    env = {
      GATEHOUSE_ISSUER: 'http://localhost:3999',
      GATEHOUSE_DATA_DIR: folder,
      GATEHOUSE_STORAGE_URL: storage.url,
      GATEHOUSE_MAIL_SMTP_URL: server.url,
    };
  }

  /** A process of its own, ready. */
  async function startProcess(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env['PATH'], NODE_ENV: 'test', GATEHOUSE_PORT: '0', GATEHOUSE_LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  /** In this process, without a mail server: it only queues. */
  const startQueueing = () => startGatehouse({ ...env, GATEHOUSE_MAIL_SMTP_URL: '' });
  const queue = ({ mail }: Running, to: string) =>
    mail.outbox.add({ to, template: 'test', locale: 'en', data: {} }, { state: 'waiting' });
  const recipients = () => server.mails.flatMap(({ to }) => to).toSorted();

  it('three processes send 100 mails once each', { timeout: LONG }, async () => {
    await prepare();
    await Promise.all([startProcess(), startProcess()]);
    gatehouse = await startGatehouse(env);
    const people = Array.from({ length: 100 }, (_, index) => `p${String(index).padStart(3, '0')}@example.com`);
    await atOnce(people.length, (index) => queue(gatehouse!, people[index]!));
    await eventually(() => expect(recipients()).toEqual(people));
    await eventually(async () =>
      expect((await gatehouse!.mail.outbox.list('sent', { limit: 500 })).items).toHaveLength(100),
    );
    expect(recipients()).toEqual(people);
  });

  it('a mail that a killed process had in hand is sent by another, as the same mail', { timeout: LONG }, async () => {
    let taken = 0;
    const killed = Promise.withResolvers<void>();
    await prepare({
      // Takes the mail, but says so only after its sender was killed.
      data: () => void (taken += 1),
      answerData: () => killed.promise,
    });
    const queueing = await startQueueing();
    const child = await startProcess();
    await queue(queueing, 'ada@example.com');
    await eventually(() => expect(taken).toBe(1));
    child.kill('SIGKILL');
    await once(child, 'exit');
    killed.resolve();
    await queueing.stop();

    passTime(600);
    gatehouse = await startGatehouse(env);
    await eventually(() => expect(server.mails.length).toBeGreaterThanOrEqual(2));
    const ids = server.mails.map((mail) => mail.header('message-id'));
    expect(new Set(ids).size).toBe(1);
    await eventually(async () =>
      expect((await gatehouse!.mail.outbox.list('sent', {})).items).toMatchObject([{ attempts: 2 }]),
    );
  });
});
