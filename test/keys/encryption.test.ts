/** Replacing the encryption key, and stores that an older version has used. */
import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { calculateJwkThumbprint, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import * as oidc from 'openid-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHashing, createSealing, createVault, oldHashingKeys } from '../../src/kernel/secrets.ts';
import { createSealedRecords } from '../../src/protocol/sealed-records.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import { temporaryFile } from '../storage/support/temporary-file.ts';
import { codeOf } from '../support/authenticator.ts';
import { Browser } from '../support/browser.ts';
import { as } from '../support/endpoints.ts';
import { withApp } from '../support/factors.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, backToNow, passTime } from '../support/journey.ts';
import { keyIds } from '../support/keys.ts';
import { relyingParty } from '../support/relying-party.ts';

const newKey = () => randomBytes(32).toString('base64');
const bytes = (key: string) => Buffer.from(key, 'base64');

/** As it was sealed before values named their key. */
function sealedOldWay(key: string, plain: string, context: string): Buffer {
  const derived = Buffer.from(hkdfSync('sha256', bytes(key), '', 'gatehouse/payload', 32));
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', derived, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([Buffer.of(1), nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

describe('sealed values', () => {
  const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];

  it('are opened by whoever has the key among others, for the same purpose and context', () => {
    const sealed = createSealing([first], 'records').seal('secret', 'here');
    expect(createSealing([second, third, first], 'records').open(sealed, 'here')).toBe('secret');
    expect(() => createSealing([second], 'records').open(sealed, 'here')).toThrow();
    expect(() => createSealing([first], 'tokens').open(sealed, 'here')).toThrow();
    expect(() => createSealing([first], 'records').open(sealed, 'there')).toThrow();
  });

  it('know whether they were sealed with the newest key', () => {
    const sealed = createSealing([first], 'records').seal('secret', 'here');
    expect(createSealing([first, second], 'records').isCurrent(sealed)).toBe(true);
    expect(createSealing([second, first], 'records').isCurrent(sealed)).toBe(false);
    expect(createSealing([first], 'records').isCurrent(Buffer.alloc(2))).toBe(false);
  });

  it.each([0, 1, 4, 16, 20, 40])('that are tampered with at byte %i are refused', (at) => {
    const sealing = createSealing([first], 'records');
    const sealed = sealing.seal('a secret of some length', 'here');
    sealed[at]! ^= 1;
    expect(() => sealing.open(sealed, 'here')).toThrow();
  });

  it.each([0, 1, 16, 32])('of %i bytes are refused', (length) => {
    expect(() => createSealing([first], 'records').open(Buffer.alloc(length, 2), 'here')).toThrow();
  });

  it('of the old form are opened by any of the keys', () => {
    const key = newKey();
    const sealed = sealedOldWay(key, 'of old', 'here');
    for (const keys of [[bytes(key)], [second, bytes(key), third], [second, bytes(key)]])
      expect(createSealing(keys, 'mail').open(sealed, 'here')).toBe('of old');
    expect(() => createSealing([second], 'mail').open(sealed, 'here')).toThrow();
  });

  it('that were read, and sealed anew since, are still what was read', async () => {
    const storage = openSqlite(':memory:');
    const [old, anew] = [
      createVault(first),
      { ...createHashing(oldHashingKeys(first)), ...createSealing([second, first], 'records') },
    ];
    const records = createSealedRecords({ store: storage.protocol, vault: anew });
    await createSealedRecords({ store: storage.protocol, vault: old }).upsert('Grant', 'id', { a: 1 }, 60);
    const seen = (await records.find('Grant', 'id'))!;
    await records.change('Grant', 'id', (current) => ({ ...current }), 60);
    expect(await records.replace('Grant', 'id', seen, { a: 2 }, 60)).toBe(true);
    expect(await records.replace('Grant', 'id', { ...seen }, { a: 3 }, 60)).toBe(false);
    await storage.close();
  });
});

describe('a store in a file', () => {
  let file: string;
  let remove: () => void;
  beforeEach(() => {
    ({ file, remove } = temporaryFile());
  });
  afterEach(() => {
    backToNow();
    remove();
  });

  const start = (keys: string, port?: number): Promise<Running> =>
    startGatehouse(
      {
        GATEHOUSE_STORAGE_URL: `sqlite:${file}`,
        GATEHOUSE_SECRETS_ENCRYPTION_KEY: keys,
        GATEHOUSE_SECRETS_COOKIE_KEYS: 'one-cookie-key-for-all-of-them',
      },
      '',
      port,
    );

  it('has its key replaced while the server runs, and nobody notices', { timeout: 60_000 }, async () => {
    const [old, next] = [newKey(), newKey()];
    let gatehouse = await start(old);
    const port = Number(new URL(gatehouse.issuer).port);
    const api = await gatehouse.app({ type: 'api', name: 'Notes API', scope: 'notes:read' });
    const app = await gatehouse.app({
      first_party: true,
      protocol: { token_endpoint_auth_method: 'client_secret_jwt' },
    });
    // Two secrets, and both rest encrypted.
    const { client_secret: newest } = await gatehouse.clients.rotateSecret(app.client_id);
    const web = await gatehouse.app({ first_party: true, default_resource: api.resource! });
    const person = await gatehouse.person();
    const rp = await relyingParty(gatehouse, web);
    const browser = new Browser(gatehouse.issuer);
    const { callback, checks } = await authorize(rp, person, { scope: 'openid offline_access notes:read' }, browser);
    const tokens = await rp.redeem(callback, checks);
    const ids = await keyIds(gatehouse.issuer);
    await gatehouse.stop();

    gatehouse = await start(`${next},${old}`, port);
    const running = gatehouse;
    let refreshed = tokens.refresh_token!;
    let failures = 0;
    let stop = false;
    const load = (async () => {
      while (!stop) {
        const { status, body } = await as(running, web).refresh(refreshed);
        if (status === 200) refreshed = String(body['refresh_token']);
        else failures += 1;
      }
    })();
    const first = await gatehouse.keys.reseal();
    // Broken off and done again it finds what is left: nothing.
    const again = await gatehouse.keys.reseal();
    stop = true;
    await load;
    expect(failures).toBe(0);
    expect(first).toMatchObject({ keys: 3, clients: 2, missed: 0, unreadable: 0 });
    expect(first.records).toBeGreaterThan(1);
    expect(again).toMatchObject({ keys: 0, records: 0, factors: 0, clients: 0, mail: 0, logout: 0, unreadable: 0 });
    // What apps hold is still good while the former key is listed.
    expect((await as(gatehouse, web).introspect(tokens.access_token)).body['active']).toBe(true);
    await gatehouse.stop();

    gatehouse = await start(next, port);
    expect(await keyIds(gatehouse.issuer)).toEqual(ids);
    const page = await browser.open((await rp.request({ prompt: 'none' })).url);
    expect(page.url.searchParams.get('code')).toBeTruthy();
    expect((await oidc.refreshTokenGrant(rp.config, refreshed)).claims()?.sub).toBe(person.sub);
    for (const secret of [app.client_secret, newest]) {
      const party = await relyingParty(gatehouse, app, { auth: oidc.ClientSecretJwt(secret) });
      expect((await party.signIn(person, {}, browser)).claims()?.sub).toBe(person.sub);
    }
    await gatehouse.stop();
  });

  it('goes on where replacing the key was broken off', async () => {
    const [old, next] = [newKey(), newKey()];
    let gatehouse = await start(old);
    const records = createSealedRecords({ store: gatehouse.storage.protocol, vault: gatehouse.vaultFor('records') });
    for (let i = 0; i < 450; i += 1) await records.upsert('Grant', `grant-${i}`, { i }, 3600);
    await gatehouse.stop();
    gatehouse = await start(`${next},${old}`);
    const { protocol } = gatehouse.storage;
    const swap = protocol.swap.bind(protocol);
    let swaps = 0;
    protocol.swap = async (...args) => {
      swaps += 1;
      if (swaps > 250) throw new Error('killed');
      return swap(...args);
    };
    await expect(gatehouse.keys.reseal()).rejects.toThrow('killed');
    protocol.swap = swap;
    expect(await gatehouse.keys.reseal()).toMatchObject({ keys: 0, records: 200, unreadable: 0 });
    await gatehouse.stop();
    gatehouse = await start(next);
    const after = createSealedRecords({ store: gatehouse.storage.protocol, vault: gatehouse.vaultFor('records') });
    for (const i of [0, 249, 250, 449]) expect(await after.find('Grant', `grant-${i}`)).toMatchObject({ i });
    await gatehouse.stop();
  });

  it('with a key that is not listed any more is refused, and says so', async () => {
    const gatehouse = await start(newKey());
    await gatehouse.stop();
    await expect(start(newKey())).rejects.toThrow('secrets.encryption_key is not the one they were stored with');
  });

  it('of an older version is taken over, with all that it holds', async () => {
    const key = newKey();
    await openSqlite(file).close();
    const kids: string[] = [];
    const raw = new DatabaseSync(file);
    for (const alg of ['ES256', 'RS256']) {
      const jwk = await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey);
      const kid = await calculateJwkThumbprint(jwk);
      const sealed = sealedOldWay(key, JSON.stringify({ ...jwk, kid, alg, use: 'sig' }), `signing-key:${kid}`);
      raw
        .prepare("INSERT INTO signing_keys (id, alg, state, sealed, created_at) VALUES (?, ?, 'active', ?, ?)")
        .run(kid, alg, sealed, new Date().toISOString());
      kids.push(kid);
    }
    raw.close();
    // Something else that the older version has hashed and sealed.
    const old = createHashing(oldHashingKeys(bytes(key)));
    const storage = openSqlite(file);
    const recordKey = old.lookupKey('Grant', 'of-old');
    const payload = sealedOldWay(key, JSON.stringify({ jti: 'of-old' }), recordKey);
    const nothing = { consumed_at: null, uid_key: null, user_code_key: null, account_key: null, session_key: null };
    const record = {
      key: recordKey,
      kind: 'Grant',
      sealed: payload,
      expires_at: null,
      grant_key: recordKey,
      ...nothing,
    };
    await storage.protocol.upsert(record);
    await storage.close();

    const gatehouse = await start(key);
    const api = await gatehouse.app({ type: 'api', name: 'Notes API', scope: 'notes:read' });
    const service = await gatehouse.app({ type: 'service', name: 'Nightly', scope: 'notes:read' });
    const { body } = await as(gatehouse, service).clientCredentials({ resource: api.resource! });
    expect(decodeProtectedHeader(String(body['access_token'])).kid).toBe(kids[0]);
    const records = createSealedRecords({ store: gatehouse.storage.protocol, vault: gatehouse.vaultFor('records') });
    expect(await records.find('Grant', 'of-old')).toMatchObject({ jti: 'of-old' });
    expect(await keyIds(gatehouse.issuer)).toEqual(kids);
    expect(await gatehouse.storage.keyRings.listOld()).toHaveLength(2);
    expect(await gatehouse.keys.reseal()).toMatchObject({ keys: 2, records: 1, unreadable: 0 });
    expect(await gatehouse.storage.keyRings.listOld()).toEqual([]);
    await gatehouse.stop();
  });

  it('keeps authenticator apps and recovery codes good', async () => {
    const [old, next] = [newKey(), newKey()];
    let gatehouse = await start(old);
    const person = await gatehouse.person();
    const { secret, codes } = await withApp(gatehouse, person);
    await gatehouse.stop();
    gatehouse = await start(`${next},${old}`);
    expect(await gatehouse.keys.reseal()).toMatchObject({ factors: 1 });
    await gatehouse.stop();
    gatehouse = await start(next);
    passTime(31);
    expect(await gatehouse.factors.useTotp(person.sub, await codeOf(secret))).toBe(true);
    expect(await gatehouse.factors.useRecoveryCode(person.sub, codes[0]!)).toBeTruthy();
    await gatehouse.stop();
  });
});
