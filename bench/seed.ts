/**
 * Fills a SQLite store as a large installation has it: people, apps, and a record of what happened that is chained and verifies.
 * `node bench/seed.ts [--people=1000000] [--clients=10000] [--records=10000000]`, with the environment of the Gatehouse it is for. The rows are what the
 * program itself would write, made by its own functions; they are written by statements of this script, without syncing and with the
 * indexes made afterwards, since nothing else uses the store meanwhile.
 */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Account } from '../src/accounts/account.ts';
import { wordsOfAccount } from '../src/accounts/account.ts';
import { newAccountId } from '../src/accounts/new-account.ts';
import { assembleBackstage } from '../src/assemble-backstage.ts';
import { markAt } from '../src/audit/chain.ts';
import type { Signer } from '../src/audit/chain.ts';
import { toRecord } from '../src/audit/document.ts';
import type { Draft } from '../src/audit/document.ts';
import { wordsOfClient } from '../src/clients/client.ts';
import type { Client } from '../src/clients/client.ts';
import { loadConfig } from '../src/config/load.ts';
import { newId } from '../src/kernel/ids.ts';

const BATCH = 20_000;
const YEAR_MS = 31_536_000_000;
const GIVEN =
  'Ada Grace Alan Katherine Edsger Barbara Donald Radia Ken Dennis Margaret Linus Frances Tim Hedy Claude'.split(' ');
const FAMILY =
  'Lovelace Hopper Turing Johnson Dijkstra Liskov Knuth Perlman Thompson Ritchie Hamilton Allen Lamarr Shannon'.split(
    ' ',
  );
const DEVICES = ['Firefox, Windows', 'Chrome, Android', 'Safari, macOS', 'Edge, Windows'];

const option = (name: string, otherwise: number): number =>
  Number(process.argv.find((one) => one.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise);
const COUNTS = {
  people: option('people', 1_000_000),
  clients: option('clients', 10_000),
  records: option('records', 10_000_000),
};
const say = (text: string) => process.stderr.write(`${new Date().toISOString()} ${text}\n`);

/** The index statements of a table are kept, so that they are made once, over all rows. */
function withoutIndexes(db: DatabaseSync, tables: string[], work: () => void): void {
  const made = db
    .prepare(
      `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN (${tables.map(() => '?').join()})`,
    )
    .all(...tables) as { name: string; sql: string }[];
  for (const { name } of made) db.exec(`DROP INDEX ${name}`);
  work();
  for (const { name, sql } of made) {
    say(`index ${name}`);
    db.exec(sql);
  }
}

function inBatches(db: DatabaseSync, count: number, what: string, write: (index: number) => void): void {
  for (let from = 0; from < count; from += BATCH) {
    db.exec('BEGIN');
    for (let index = from; index < Math.min(count, from + BATCH); index += 1) write(index);
    db.exec('COMMIT');
    if (from % (BATCH * 25) === 0) say(`${what}: ${from}`);
  }
}

const pick = <T>(all: T[], index: number): T => all[index % all.length]!;

function anAccount(index: number): Account {
  const name = `${pick(GIVEN, index)} ${pick(FAMILY, Math.floor(index / GIVEN.length))}${Math.floor(index / 224)}`;
  const email = `${name.toLowerCase().replace(' ', '.')}@mail${index % 50}.example`;
  const at = new Date(Date.now() - YEAR_MS + index * 20).toISOString();
  return {
    id: newAccountId(),
    email,
    email_normalized: email,
    email_verified: true,
    name,
    picture: null,
    claims: {},
    roles: index % 1000 === 0 ? ['editor'] : [],
    state: index % 500 === 1 ? 'suspended' : 'active',
    password_hash: '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$u7mGZWpWJ0y3RZlmJYFvKpmZPvb0GCqYkQ6IT5bpHcE',
    created_at: at,
    updated_at: at,
    last_sign_in_at: at,
    version: 1,
  };
}

/** Words are collected unsorted and written in the order of their table: at random that takes an hour. */
function wordWriter(db: DatabaseSync) {
  db.exec('CREATE TEMP TABLE words (kind TEXT, word TEXT, id TEXT)');
  const add = db.prepare('INSERT INTO words VALUES (?, ?, ?)');
  return {
    add: (kind: string, id: string, words: string[]) => {
      for (const word of words) add.run(kind, word, id);
    },
    finish: () => {
      say('words');
      db.exec(
        'INSERT OR IGNORE INTO search_words (kind, word, id) SELECT kind, word, id FROM words ORDER BY 1, 2, 3; DROP TABLE words',
      );
    },
  };
}

function seedPeople(db: DatabaseSync, words: ReturnType<typeof wordWriter>): { id: string; subject: string }[] {
  const insert = db.prepare(
    'INSERT INTO accounts (id, email_normalized, version, created_at, document) VALUES (?, ?, ?, ?, ?)',
  );
  const subjectOf = db.prepare('INSERT INTO audit_subjects (account_id, subject) VALUES (?, ?)');
  const people: { id: string; subject: string }[] = [];
  withoutIndexes(db, ['accounts'], () =>
    inBatches(db, COUNTS.people, 'people', (index) => {
      const account = anAccount(index);
      const subject = newId('sub_');
      insert.run(account.id, account.email_normalized, 1, account.created_at, JSON.stringify(account));
      subjectOf.run(account.id, subject);
      words.add('accounts', account.id, wordsOfAccount(account));
      people.push({ id: account.id, subject });
    }),
  );
  return people;
}

function seedClients(db: DatabaseSync, words: ReturnType<typeof wordWriter>, template: Client): string[] {
  const insert = db.prepare('INSERT INTO clients (id, resource, version, created_at, document) VALUES (?, ?, ?, ?, ?)');
  const ids: string[] = [];
  inBatches(db, COUNTS.clients, 'apps', (index) => {
    const client = { ...template, id: newId('app_'), client_name: `${pick(FAMILY, index)} App ${index}` };
    insert.run(client.id, null, 1, client.created_at, JSON.stringify(client));
    words.add('clients', client.id, wordsOfClient(client));
    ids.push(client.id);
  });
  return ids;
}

function draftOf(index: number, at: string, person: { subject: string }, client: string): Draft {
  const base = { id: newId(), at, reference: null, adopted: null };
  const { subject } = person;
  const own = { kind: 'person' as const, id: subject };
  switch (index % 10) {
    case 0:
    case 1:
    case 2: {
      const network = `203.0.${index % 250}.0/24`;
      const said = { subject, network, device: pick(DEVICES, index), detail: { client_id: client } };
      return { ...base, type: 'sign_in', actor: own, target: own, detail: {}, personal: [said] };
    }
    case 3:
      return { ...base, type: 'wrong_password', actor: own, target: own, detail: {}, personal: [] };
    case 4:
    case 5:
    case 6: {
      const detail = { grant_type: 'refresh_token', scope: 'openid profile email' };
      return {
        ...base,
        type: 'token_refreshed',
        actor: own,
        target: { kind: 'client', id: client },
        detail,
        personal: [],
      };
    }
    case 7: {
      const detail = {
        at: 'authorization',
        error: 'invalid_redirect_uri',
        problem: 'the redirect_uri is not registered',
      };
      const target = { kind: 'client' as const, id: client };
      return { ...base, type: 'request_refused', actor: { kind: 'system', id: null }, target, detail, personal: [] };
    }
    default: {
      const detail = { grant_type: 'client_credentials', scope: 'read' };
      const who = { kind: 'client' as const, id: client };
      return { ...base, type: 'token_issued', actor: who, target: who, detail, personal: [] };
    }
  }
}

function seedRecords(db: DatabaseSync, signer: Signer, people: { subject: string }[], clients: string[]): void {
  const head = db.prepare("SELECT seq, mac FROM audit_marks WHERE name = 'head'").get() as
    { seq: number; mac: string } | undefined;
  const insert = db.prepare(
    'INSERT INTO audit_records (seq, id, at, type, actor, target, document, mac, adopted, reference) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  db.exec('CREATE TEMP TABLE audit_parts (record_id TEXT, subject TEXT, document TEXT)');
  const part = db.prepare('INSERT INTO audit_parts (record_id, subject, document) VALUES (?, ?, ?)');
  const [from, step] = [Date.now() - YEAR_MS + 86_400_000, (YEAR_MS - 2 * 86_400_000) / COUNTS.records];
  let last = head ?? { seq: 0, mac: '' };
  withoutIndexes(db, ['audit_records', 'audit_personal'], () => {
    inBatches(db, COUNTS.records, 'records', (index) => {
      const at = new Date(from + index * step).toISOString();
      // People are not all alike: a few do much.
      const who = people[Math.floor(people.length * Math.random() ** 3)]!;
      const { record, parts } = toRecord(
        signer,
        draftOf(index, at, who, pick(clients, index * 7)),
        last.seq + 1,
        last.mac,
      );
      insert.run(
        record.seq,
        record.id,
        record.at,
        record.type,
        record.actor,
        record.target,
        record.document,
        record.mac,
        record.adopted,
        record.reference,
      );
      for (const one of parts) part.run(one.record_id, one.subject, one.document);
      last = record;
    });
    say('parts');
    db.exec(
      'INSERT INTO audit_personal SELECT record_id, subject, document FROM audit_parts ORDER BY 1, 2; DROP TABLE audit_parts',
    );
  });
  const mark = markAt(signer, 'head', last, new Date().toISOString());
  db.prepare('INSERT OR REPLACE INTO audit_marks (name, seq, mac, at, signature) VALUES (?, ?, ?, ?, ?)').run(
    'head',
    mark.seq,
    mark.mac,
    mark.at,
    mark.signature,
  );
}

const config = loadConfig();
const file = config.storage.url.replace(/^sqlite:/, '');
if (!path.isAbsolute(file)) throw new Error('a SQLite file is filled, by its whole path');
const backstage = await assembleBackstage(config);
const { client: template } = await backstage.clients.register({
  type: 'web',
  name: 'Template',
  redirect_uris: ['https://app.example/callback'],
});
await backstage.audit.idle();
const signer: Signer = backstage.vault;
await backstage.close();

const db = new DatabaseSync(file);
db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = FILE');
const words = wordWriter(db);
const people = seedPeople(db, words);
const clients = seedClients(db, words, template);
words.finish();
seedRecords(db, signer, people, clients);
say('statistics');
db.exec('PRAGMA journal_mode = WAL');
db.close();
say('done');
