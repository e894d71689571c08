import { createConnection } from 'mongoose';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { openStorage } from '../../src/storage/open.ts';
import { openMongo } from '../../src/storage/mongo/open.ts';
import { storageContract } from './contract/contract.ts';
import { atOnce } from './contract/at-once.ts';
import { processContract } from './contract/processes.ts';
import { anAccount, aRecord } from './contract/samples.ts';
import { startProxy } from './support/proxy.ts';
import { MONGODB_TEST_URI, testDatabase } from './support/test-database.ts';
import { MEASURED } from '../support/timing.ts';

if (!MONGODB_TEST_URI) {
  console.warn(
    'SKIPPED: the MongoDB storage tests. Set MONGODB_TEST_URI, such as mongodb://127.0.0.1:27017/, to run them.',
  );
}

/** Index names per collection: their explanations are the servers' own affair, their existence is ours. */
const INDEXES = {
  accounts: ['_id_', 'created_at_1__id_1', 'email_normalized_1', 'erase_at_1'],
  account_factors: ['_id_'],
  passkeys: ['_id_', 'account_id_1_created_at_1'],
  audit_records: [
    '_id_',
    'actor_1__id_-1',
    'adopted_1',
    'at_1',
    'reference_1__id_-1',
    'target_1__id_-1',
    'type_1__id_-1',
  ],
  audit_personal: ['_id_', 'record_id_1', 'subject_1'],
  audit_subjects: ['_id_', 'subject_1'],
  audit_marks: ['_id_'],
  audit_events: ['_id_', 'account_id_1_created_at_1__id_1', 'created_at_1'],
  clients: ['_id_', 'created_at_1__id_1', 'resource_1'],
  client_documents: ['_id_', 'denied_at_1_used_at_1'],
  consents: ['_id_', 'account_id_1', 'client_id_1'],
  role_records: ['_id_', 'kind_1_name_1'],
  search_words: ['_id_', 'kind_1_id_1', 'kind_1_word_1_id_1'],
  invitations: ['_id_', 'created_at_1__id_1', 'email_normalized_1', 'expires_at_1', 'token_hash_1'],
  key_rings: ['_id_'],
  key_set_fetches: ['_id_', 'last_at_1'],
  upstream_identities: ['_id_', 'account_id_1_created_at_1'],
  outbox: ['_id_', 'state_1_created_at_1__id_1', 'state_1_due_at_1_created_at_1__id_1', 'state_1_settled_at_1'],
  leases: ['_id_'],
  session_apps: ['_id_', 'account_key_1', 'expires_at_1', 'session_key_1'],
  live_documents: ['_id_'],
  logout_deliveries: [
    '_id_',
    'logout_id_1',
    'state_1_created_at_1__id_1',
    'state_1_due_at_1_created_at_1__id_1',
    'state_1_settled_at_1',
  ],
  counters: ['_id_', 'expires_at_1', 'owner_1'],
  registration_tokens: ['_id_', 'token_hash_1'],
  registrations: ['_id_', 'used_at_1'],
  protocol_records: [
    '_id_',
    'account_key_1',
    'expires_at_1',
    'grant_key_1',
    'kind_1_expires_at_-1__id_-1',
    'session_key_1',
    'uid_key_1',
    'user_code_key_1',
  ],
};

describe.skipIf(!MONGODB_TEST_URI)('MongoDB', () => {
  const { url, urlBy, empty, drop } = testDatabase();
  afterEach(empty);
  afterAll(drop);

  storageContract('MongoDB', { shared: true }, async () => {
    const storage = await openMongo(url);
    return { storage, reopen: () => openMongo(url), dispose: () => storage.close() };
  });

  describe('between processes', () =>
    processContract(
      () => url,
      () => openMongo(url),
    ));

  test('new databases are made ready by processes that start at once', async () => {
    const fresh = testDatabase();
    const { values, errors } = await atOnce(5, () => openStorage(fresh.url));
    expect(errors).toEqual([]);
    await Promise.all(values.map((storage) => storage.close()));
    await fresh.drop();
  });

  test('every look-up has its index, and what must be unique is', async () => {
    await (await openMongo(url)).close();
    const connection = await createConnection(url).asPromise();
    const collections = await connection.db!.collections();
    const indexes = await Promise.all(
      collections.map(async (collection) => [collection.collectionName, await collection.indexes()] as const),
    );
    await connection.close();
    expect(
      Object.fromEntries(indexes.map(([name, list]) => [name, list.map((index) => index.name).toSorted()])),
    ).toEqual(INDEXES);
    const special = indexes.flatMap(([collection, list]) =>
      list.filter(({ name, unique }) => unique && name !== '_id_').map(({ name }) => `${collection}.${name}`),
    );
    expect(special.toSorted()).toEqual([
      'accounts.email_normalized_1',
      'audit_subjects.subject_1',
      'clients.resource_1',
      'invitations.email_normalized_1',
      'invitations.token_hash_1',
      'registration_tokens.token_hash_1',
      'role_records.kind_1_name_1',
    ]);
    const [, records] = indexes.find(([name]) => name === 'protocol_records')!;
    expect(records.find(({ name }) => name === 'expires_at_1')).toMatchObject({ expireAfterSeconds: 0 });
  });

  test('signing keys that an older version has kept one by one are found', async () => {
    const storage = await openMongo(url);
    const connection = await createConnection(url).asPromise();
    const sealed = Buffer.from('sealed');
    const old = { _id: 'kid', alg: 'ES256', state: 'active', sealed, created_at: '2026-01-01T00:00:00.000Z' };
    await connection.db!.collection<typeof old>('signing_keys').insertOne(old);
    await connection.close();
    const [found] = await storage.keyRings.listOld();
    expect(found).toMatchObject({ id: 'kid', alg: 'ES256', created_at: old.created_at });
    expect(Buffer.from(found!.sealed)).toEqual(sealed);
    await storage.keyRings.deleteOld(['kid']);
    expect(await storage.keyRings.listOld()).toEqual([]);
    await storage.close();
  });

  test('the description says where, and never with which password', async () => {
    const storage = await openMongo(url);
    const { host, pathname } = new URL(url);
    expect(storage.description).toBe(`MongoDB at ${host}${pathname}`);
    await storage.close();
  });

  test('a server that goes away is unavailable within 3 seconds, and works again when it is back', async () => {
    const { hostname, port } = new URL(MONGODB_TEST_URI!);
    const proxy = await startProxy({ hostname, port: Number(port || 27017) });
    const storage = await openMongo(urlBy(proxy.host));
    const [account, record] = [anAccount(), aRecord()];
    await storage.accounts.insert(account);
    await storage.protocol.upsert(record);

    await proxy.cut();
    const started = performance.now();
    const calls: (() => Promise<unknown>)[] = [
      () => storage.ping(),
      () => storage.accounts.find(account.id),
      () => storage.accounts.insert(anAccount()),
      () => storage.accounts.update(account),
      () => storage.protocol.consume(record.key, 1),
      () => storage.protocol.insertIfAbsent(aRecord()),
      () => storage.protocol.revokeByAccount('ada'),
    ];
    const { errors } = await atOnce(calls.length, (index) => calls[index]!());
    expect(errors).toHaveLength(calls.length);
    for (const error of errors) expect(error).toMatchObject({ code: 'unavailable' });
    expect(performance.now() - started).toBeLessThan(10_000);

    await proxy.mend();
    await storage.ping();
    expect(await storage.accounts.find(account.id)).toEqual(account);
    expect(await storage.protocol.consume(record.key, 1)).toBe(true);
    await storage.close();
    await proxy.cut();
  });
});

describe('a MongoDB that cannot be reached', () => {
  test('is unavailable within 3 seconds, in words without the password', MEASURED, async () => {
    const started = performance.now();
    const failure = await openStorage('mongodb://gatehouse:s3cret@127.0.0.1:1/gatehouse').catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'unavailable', message: expect.stringContaining('127.0.0.1:1') as string });
    expect(String(failure)).not.toContain('s3cret');
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test.each(['mongodb://gatehouse:s3/cret@127.0.0.1:1/', 'mongodb://u:s3cret@', 'mongodb://u:s3cret@h/?replicaSet'])(
    'is unavailable also by a malformed URL (%s)',
    async (url) => {
      const failure = await openStorage(url).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'unavailable' });
      expect(String(failure)).not.toContain('s3');
    },
  );
});
