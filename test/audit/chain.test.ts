/** That nobody who can write to the database alters the record unnoticed; on the real store, altered behind its back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAudit } from '../../src/audit/audit.ts';
import type { Audit } from '../../src/audit/audit.ts';
import { createVault } from '../../src/kernel/secrets.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';

const KEY = Buffer.alloc(32, 7);
const log = { error: vi.fn(), warn: vi.fn(), info: vi.fn() };
const YEAR = 31_536_000;

let folder: string;
let file: string;
let storage: Storage;
let audit: Audit;

const open = async (key = KEY) => {
  const opened = await openStorage(`sqlite:${file}`);
  const made = createAudit({
    store: opened.audit,
    signer: createVault(key),
    caller: () => ({ address: '203.0.113.7', user_agent: 'Firefox' }),
    deviceName: () => 'Firefox, Linux',
    retention: YEAR,
    log,
  });
  return [opened, made] as const;
};

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-audit-'));
  file = path.join(folder, 'gatehouse.db');
  [storage, audit] = await open();
});
afterEach(async () => {
  vi.useRealTimers();
  await storage.close();
  rmSync(folder, { recursive: true });
});

async function twelve(): Promise<void> {
  for (let index = 0; index < 4; index += 1) {
    await audit.record('sign_in', 'usr_ada', { detail: { client_id: 'app_1' } });
    await audit.record('suspended', 'usr_bob', { actor: 'admin' });
    await audit.act('client_registered', { kind: 'client', id: 'app_1' }, { type: 'web' });
  }
}

/** What somebody does who has the file, and not the key. */
function tamper(...statements: string[]): void {
  const raw = new DatabaseSync(file);
  for (const statement of statements) raw.exec(statement);
  raw.close();
}

describe('the chain', () => {
  it('is whole as it was written, also by many at once and by two processes', async () => {
    const [other, second] = await open();
    await Promise.all(
      [audit, second].flatMap((one) =>
        Array.from({ length: 60 }, (_, index) => one.record('sign_in', `usr_${index % 5}`)),
      ),
    );
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 120, first: 1, last: { seq: 120 } });
    await other.close();
  });

  const ATTACKS: Record<string, string[]> = {
    'a text that was altered': [
      `UPDATE audit_records SET document = replace(document, 'app_1', 'app_2') WHERE seq = 3`,
    ],
    'a date that was altered': [
      `UPDATE audit_records SET document = replace(document, '"seq":4', '"seq":4 ') WHERE seq = 4`,
    ],
    'a record filed under another kind': [`UPDATE audit_records SET type = 'sign_out' WHERE seq = 4`],
    'a record filed under another person': [`UPDATE audit_records SET target = 'sub_nobody' WHERE seq = 2`],
    'a record that is gone': ['DELETE FROM audit_records WHERE seq = 5'],
    'a first record that is gone': ['DELETE FROM audit_records WHERE seq = 1'],
    'a gap that was closed': [
      'DELETE FROM audit_records WHERE seq = 5',
      'UPDATE audit_records SET seq = seq - 1 WHERE seq > 5',
    ],
    'records that changed places': [
      'UPDATE audit_records SET seq = 100 WHERE seq = 3',
      'UPDATE audit_records SET seq = 3 WHERE seq = 6',
      'UPDATE audit_records SET seq = 6 WHERE seq = 100',
    ],
    'a record that was put in': [
      `INSERT INTO audit_records SELECT 13, 'x', at, type, actor, target, document, mac, adopted, reference FROM audit_records WHERE seq = 12`,
    ],
    'a tail that was cut off': ['DELETE FROM audit_records WHERE seq > 9'],
    'a tail that was cut off with the mark moved back': [
      'DELETE FROM audit_records WHERE seq > 9',
      'UPDATE audit_marks SET seq = 9, mac = (SELECT mac FROM audit_records WHERE seq = 9)',
    ],
    'a tail that was cut off with the mark': ['DELETE FROM audit_records WHERE seq > 9', 'DELETE FROM audit_marks'],
    'a forged cut': [
      'DELETE FROM audit_records WHERE seq < 5',
      `INSERT INTO audit_marks SELECT 'cut', 4, (SELECT mac FROM audit_records WHERE seq = 5), at, signature FROM audit_marks`,
    ],
    'what it says of a person, altered': [`UPDATE audit_personal SET document = replace(document, 'Linux', 'Windows')`],
    'what it says of a person, removed': [
      'DELETE FROM audit_personal WHERE record_id = (SELECT id FROM audit_records WHERE seq = 1)',
    ],
  };

  it.each(Object.entries(ATTACKS))('shows %s', async (_, statements) => {
    await twelve();
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 12 });
    tamper(...statements);
    const verdict = await audit.verify();
    expect(verdict.ok).toBe(false);
    expect(verdict.problems.length).toBeGreaterThan(0);
  });

  it('shows by a head in the log that all of it was put back to an earlier day', async () => {
    await twelve();
    const early = await storage.audit.head();
    await twelve();
    await audit.logHead();
    const [{ seq, mac }] = log.info.mock.lastCall as [{ seq: number; mac: string }];
    expect(await audit.verify([{ seq, mac }])).toMatchObject({ ok: true });
    tamper(
      `DELETE FROM audit_records WHERE seq > ${early!.seq}`,
      `UPDATE audit_marks SET seq = ${early!.seq}, mac = '${early!.mac}', at = '${early!.at}', signature = '${early!.signature}'`,
    );
    expect(await audit.verify()).toMatchObject({ ok: true });
    expect(await audit.verify([{ seq, mac }])).toMatchObject({ ok: false, problems: [{ seq }] });
  });

  it('cannot be written anew without the key', async () => {
    await twelve();
    const [other, forger] = await open(Buffer.alloc(32, 8));
    await forger.record('sign_in', 'usr_eve');
    expect(await audit.verify()).toMatchObject({ ok: false });
    await other.close();
  });
});

describe('an erased person', () => {
  it('is gone from the record, which is still whole', async () => {
    await twelve();
    const subject = await storage.audit.findSubject('usr_ada');
    await audit.record('erased', 'usr_ada', { actor: 'system' });
    await audit.erase('usr_ada');
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 13 });
    const raw = new DatabaseSync(file);
    const dump = ['audit_records', 'audit_personal', 'audit_subjects'].flatMap((table) =>
      raw.prepare(`SELECT * FROM ${table}`).all(),
    );
    raw.close();
    expect(JSON.stringify(dump)).not.toContain('usr_ada');
    const left = await audit.search({ target: subject });
    expect(left.items).toHaveLength(5);
    for (const entry of left.items)
      expect(entry).toMatchObject({ target: { id: subject }, network: null, device: null, detail: {} });
    expect((await audit.listByAccount('usr_ada', {})).items).toEqual([]);
  });

  it('does not excuse that something of others is missing', async () => {
    await twelve();
    await audit.record('erased', 'usr_ada', { actor: 'system' });
    await audit.erase('usr_ada');
    tamper('DELETE FROM audit_personal');
    expect(await audit.verify()).toMatchObject({ ok: false });
  });
});

describe('retention', () => {
  it('removes what is old, leaves a signed cut, and the rest is whole', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
    await twelve();
    vi.setSystemTime(Date.UTC(2026, 11, 1));
    await twelve();
    vi.setSystemTime(Date.UTC(2027, 1, 1));
    await audit.purge();
    const verdict = await audit.verify();
    expect(verdict).toMatchObject({ ok: true, first: 13, checked: 13 });
    expect((await audit.search({ limit: 1 })).items).toMatchObject([
      { type: 'records_removed', detail: { up_to: '12' } },
    ]);
    tamper(`DELETE FROM audit_marks WHERE name = 'cut'`);
    expect(await audit.verify()).toMatchObject({ ok: false });
  });

  it('goes on with the chain when all of it is old', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
    await twelve();
    vi.setSystemTime(Date.UTC(2028, 0, 1));
    await audit.purge();
    await audit.purge();
    expect(await audit.verify()).toMatchObject({ ok: true, first: 13, checked: 1 });
  });
});

describe('records of before the chain', () => {
  it('are taken into it with their dates, once', async () => {
    const old = (index: number, account_id: string) => ({
      id: `old-${index}`,
      type: 'sign_in',
      account_id,
      actor: 'person',
      network: '203.0.113.0/24',
      device: 'Firefox',
      detail: { client_id: 'app_1' },
      created_at: new Date(Date.UTC(2026, 0, index + 1)).toISOString(),
    });
    const raw = new DatabaseSync(file);
    const insert = raw.prepare('INSERT INTO audit_events (id, account_id, created_at, document) VALUES (?, ?, ?, ?)');
    for (const event of [old(1, 'usr_ada'), old(0, 'usr_ada'), old(2, 'erased_1')])
      insert.run(event.id, event.account_id, event.created_at, JSON.stringify(event));
    raw.close();
    expect(await audit.hasOld()).toBe(true);
    await audit.adopt();
    await audit.adopt();
    expect(await audit.hasOld()).toBe(false);
    const { items } = await audit.listByAccount('usr_ada', {});
    expect(items.map(({ created_at }) => created_at)).toEqual([old(1, '').created_at, old(0, '').created_at]);
    expect(items[0]).toMatchObject({ network: '203.0.113.0/24', detail: { client_id: 'app_1' } });
    expect(await audit.verify()).toMatchObject({ ok: true, checked: 3 });
  });
});
