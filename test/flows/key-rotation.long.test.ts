/** Rotation as apps and operators meet it: over HTTP, with time that is moved. */
import { randomBytes } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify, createRemoteJWKSet } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { sharedStore, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, backToNow, passTime } from '../support/journey.ts';
import type { App } from '../support/journey.ts';
import { keyIds, keySet } from '../support/keys.ts';
import { relyingParty } from '../support/relying-party.ts';

const DAY = 86_400;
let gatehouse: Running;
let api: App;
let service: App;
beforeEach(async () => {
  gatehouse = await startGatehouse();
  api = await gatehouse.app({ type: 'api', name: 'Notes API', scope: 'notes:read' });
  service = await gatehouse.app({ type: 'service', name: 'Nightly', scope: 'notes:read' });
});
afterEach(async () => {
  await gatehouse.stop();
  backToNow();
});

async function accessToken(): Promise<string> {
  const { body, status } = await as(gatehouse, service).clientCredentials({ resource: api.resource! });
  expect(status).toBe(200);
  return String(body['access_token']);
}
const signedBy = async () => decodeProtectedHeader(await accessToken()).kid!;
const isActive = async (token: string) => (await as(gatehouse, service).introspect(token)).body['active'];
const stateOf = async (id: string) => (await gatehouse.keys.overview()).keys.find((key) => key.id === id)?.state;

/** What the command does, while the server runs. */
async function nextKey(): Promise<string> {
  const [made] = await gatehouse.keys.rotation.rotate(['ES256']);
  return made!.id;
}

describe('a rotation', () => {
  it('publishes the next key, signs with it after the lead, and keeps the old one for what it signed', async () => {
    const first = await signedBy();
    const next = await nextKey();
    passTime(2);
    expect(await keyIds(gatehouse.issuer)).toEqual(expect.arrayContaining([first, next]));
    expect(await signedBy()).toBe(first);
    passTime(DAY - 10);
    await gatehouse.liveKeys.check();
    expect(await signedBy()).toBe(first);
    const token = await accessToken();

    passTime(10);
    await gatehouse.liveKeys.check();
    expect(await signedBy()).toBe(next);
    expect(await keyIds(gatehouse.issuer)).toContain(first);
    expect(await isActive(token)).toBe(true);

    passTime(30 * DAY);
    await gatehouse.liveKeys.check();
    expect(await keyIds(gatehouse.issuer)).not.toContain(first);
    expect(await stateOf(first)).toBe('removed');
  });

  it('comes by itself when a key is old, and never publishes a private part', async () => {
    const first = await signedBy();
    passTime(89 * DAY);
    await gatehouse.liveKeys.check();
    expect(await keySet(gatehouse.issuer)).toHaveLength(4);
    passTime(DAY);
    await gatehouse.liveKeys.check();
    expect(await signedBy()).not.toBe(first);
    for (const key of await keySet(gatehouse.issuer)) {
      expect(key).toMatchObject({ use: 'sig', kid: expect.any(String) as string, alg: expect.any(String) as string });
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key).not.toHaveProperty(secret);
    }
  });

  it('tells caches to keep the key set for a shorter time than a new key waits', async () => {
    const { headers } = await fetch(`${gatehouse.issuer}/jwks`);
    expect(headers.get('cache-control')).toBe('public, max-age=900');
    expect(headers.get('content-type')).toContain('application/jwk-set+json');
  });

  it('loses no sign-in that began before it: the page, the code, the tokens, the session', async () => {
    const app = await gatehouse.app({ first_party: true });
    const rp = await relyingParty(gatehouse, app);
    const person = await gatehouse.person();
    const swap = async () => {
      await gatehouse.keys.rotation.compromise({});
      passTime(2);
    };
    const { callback, checks } = await authorize(rp, person, {});
    await swap();
    const tokens = await rp.redeem(callback, checks);
    const keys = createRemoteJWKSet(new URL(`${gatehouse.issuer}/jwks`));
    await jwtVerify(tokens.id_token!, keys, { issuer: gatehouse.issuer, audience: app.client_id });
    await swap();
    expect((await userinfo(gatehouse, tokens.access_token)).body).toMatchObject({ sub: person.sub });
    expect(await gatehouse.audit.listByAccount(person.sub, {})).toMatchObject({ items: [{ type: 'sign_in' }] });
  });

  it('keeps what was added to the provider: what is refused, and what an app got, is noted as before', async () => {
    await gatehouse.keys.rotation.compromise({});
    passTime(2);
    await as(gatehouse, service).refresh('nonsense');
    expect(gatehouse.logged.map(({ msg }) => msg)).toContain('a token request was refused');
    const app = await gatehouse.app();
    const person = await gatehouse.person();
    await (await relyingParty(gatehouse, app)).signIn(person);
    await expect
      .poll(async () => (await gatehouse.storage.consents.find(person.sub, app.client_id))?.last_used_at)
      .toBeTruthy();
    await gatehouse.keys.rotation.compromise({});
    passTime(2);
    const metadata = await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`);
    expect(await metadata.json()).toMatchObject({ issuer: gatehouse.issuer, jwks_uri: `${gatehouse.issuer}/jwks` });
  });

  it('is made by one of two that are due at once, and a store that fails in between loses nothing', async () => {
    const first = await signedBy();
    const { keyRings } = gatehouse.storage;
    passTime(89 * DAY);
    const swap = keyRings.swap.bind(keyRings);
    // Written, but nobody hears of it.
    const lost = vi.spyOn(keyRings, 'swap').mockImplementationOnce(async (...args) => {
      await swap(...args);
      throw new Error('the connection is gone');
    });
    await expect(gatehouse.liveKeys.check()).rejects.toThrow('the connection is gone');
    expect(await gatehouse.liveKeys.check()).toBe(false);
    passTime(2);
    expect(await keySet(gatehouse.issuer)).toHaveLength(4);

    passTime(DAY);
    // Not written.
    lost.mockImplementationOnce(() => Promise.reject(new Error('the connection is gone')));
    await expect(gatehouse.liveKeys.check()).rejects.toThrow('the connection is gone');
    expect(await signedBy()).toBe(first);
    const done = await Promise.all([gatehouse.liveKeys.check(), gatehouse.liveKeys.check()]);
    expect(done.filter(Boolean)).toHaveLength(1);
    expect(await signedBy()).not.toBe(first);
    expect((await gatehouse.keys.overview()).keys.map(({ state }) => state)).toEqual([
      'active',
      'retiring',
      'active',
      'retiring',
    ]);
  });
});

describe('clocks', () => {
  it('that jump ahead have nothing sign that is not in caches, and remove nothing', async () => {
    const first = await signedBy();
    const token = await accessToken();
    await nextKey();
    // The time of day alone: no time has passed.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 365 * DAY * 1000 });
    await gatehouse.liveKeys.check();
    await gatehouse.liveKeys.check();
    expect(await signedBy()).toBe(first);
    expect((await keyIds(gatehouse.issuer)).includes(first)).toBe(true);
    vi.useRealTimers();
    await gatehouse.liveKeys.check();
    expect(await isActive(token)).toBe(true);
    expect(await signedBy()).toBe(first);
  });

  it('that jump back delay a rotation, and nothing else', async () => {
    const first = await signedBy();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 365 * DAY * 1000 });
    await gatehouse.liveKeys.check();
    expect(await signedBy()).toBe(first);
  });
});

describe('an emergency', () => {
  it('removes the key, signs with another at once, and refuses what the old one signed', async () => {
    const person = await gatehouse.person();
    const app = await gatehouse.app({ default_resource: api.resource! });
    const rp = await relyingParty(gatehouse, app);
    const tokens = await rp.signIn(person, { scope: 'openid notes:read' });
    const token = tokens.access_token;
    const bad = decodeProtectedHeader(token).kid!;
    expect((await as(gatehouse, app).introspect(token)).body['active']).toBe(true);
    expect((await userinfo(gatehouse, token)).status).toBe(200);

    const removed = await gatehouse.keys.rotation.compromise({ algorithms: ['ES256'] });
    expect(removed.map(({ id }) => id)).toEqual([bad]);
    passTime(1.5);
    expect((await as(gatehouse, app).introspect(token)).body).toEqual({ active: false });
    expect((await userinfo(gatehouse, token)).status).toBe(401);
    expect(await keyIds(gatehouse.issuer)).not.toContain(bad);
    const fresh = await signedBy();
    expect(fresh).not.toBe(bad);
    expect(await keyIds(gatehouse.issuer)).toContain(fresh);
    expect((await gatehouse.keys.rotation.read()).keys.find(({ id }) => id === bad)).toMatchObject({
      state: 'removed',
      compromised: true,
      sealed: null,
    });
  });

  it('of one key lets the next one take over, which caches may know', async () => {
    const bad = await signedBy();
    const next = await nextKey();
    await gatehouse.keys.rotation.compromise({ id: bad });
    passTime(1.5);
    expect(await signedBy()).toBe(next);
    await expect(gatehouse.keys.rotation.compromise({ id: bad })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('refuses ID tokens of the removed key as a hint', async () => {
    const app = await gatehouse.app({ first_party: true });
    const rp = await relyingParty(gatehouse, app);
    const tokens = await rp.signIn(await gatehouse.person());
    const logOut = () =>
      fetch(`${gatehouse.issuer}/session/end?id_token_hint=${tokens.id_token!}`, { redirect: 'manual' });
    expect((await logOut()).status).toBeLessThan(400);
    await gatehouse.keys.rotation.compromise({ algorithms: ['RS256'] });
    passTime(1.5);
    expect((await logOut()).status).toBe(400);
  });
});

describe('the record of who fetched the key set', () => {
  it('names address and user agent since the newest key was published, roughly, for a week', async () => {
    await fetch(`${gatehouse.issuer}/jwks`, { headers: { 'User-Agent': 'an API of long ago' } });
    await gatehouse.keys.fetches.flush();
    passTime(60);
    await nextKey();
    passTime(5);
    for (let i = 0; i < 2; i += 1)
      await fetch(`${gatehouse.issuer}/jwks`, { headers: { 'User-Agent': 'notes-api/2.1' } });
    await gatehouse.keys.fetches.flush();
    const { fetched, fetched_since } = await gatehouse.keys.overview();
    expect(fetched).toMatchObject([{ address: '127.0.0.1', user_agent: 'notes-api/2.1', fetches: 2 }]);
    expect(Date.parse(fetched_since!)).toBeLessThan(Date.now());

    passTime(8 * DAY);
    await fetch(`${gatehouse.issuer}/jwks`, { headers: { 'User-Agent': 'today' } });
    await gatehouse.keys.fetches.flush();
    expect(await gatehouse.storage.keySetFetches.list(0, 100)).toMatchObject([{ user_agent: 'today' }]);
  });

  it('is bounded, and cut', async () => {
    for (let i = 0; i < 300; i += 1)
      gatehouse.keys.fetches.note({ address: '203.0.113.7', user_agent: `${i} ${'x'.repeat(500)}` });
    await gatehouse.keys.fetches.flush();
    const kept = await gatehouse.storage.keySetFetches.list(0, 1000);
    expect(kept).toHaveLength(200);
    for (const { user_agent } of kept) expect(user_agent.length).toBeLessThanOrEqual(120);
  });
});

describe('algorithms', () => {
  it('that there are no keys for are refused at registration', async () => {
    const asked = { id_token_signed_response_alg: 'PS256' } as const;
    await expect(gatehouse.app(asked)).rejects.toMatchObject({ field: 'id_token_signed_response_alg' });
    const protocol = { userinfo_signed_response_alg: 'EdDSA' } as const;
    await expect(gatehouse.app({ protocol })).rejects.toMatchObject({ field: 'userinfo_signed_response_alg' });
  });

  it('of the configuration each sign ID tokens that verify; the first signs access tokens', async () => {
    const all = await startGatehouse({ GATEHOUSE_KEYS_ALGORITHMS: 'EdDSA,RS256,PS256,ES256' });
    const person = await all.person();
    const keys = createRemoteJWKSet(new URL(`${all.issuer}/jwks`));
    for (const alg of ['EdDSA', 'RS256', 'PS256', 'ES256'] as const) {
      const rp = await relyingParty(all, await all.app({ first_party: true, id_token_signed_response_alg: alg }));
      const { id_token } = await rp.signIn(person);
      const { protectedHeader } = await jwtVerify(id_token!, keys, { issuer: all.issuer, algorithms: [alg] });
      expect(protectedHeader.alg).toBe(alg);
    }
    const notes = await all.app({ type: 'api', name: 'Notes API', scope: 'notes:read' });
    const nightly = await all.app({ type: 'service', name: 'Nightly', scope: 'notes:read' });
    const { body } = await as(all, nightly).clientCredentials({ resource: notes.resource! });
    expect(decodeProtectedHeader(String(body['access_token'])).alg).toBe('EdDSA');
    await all.stop();
  });

  it('stay for as long as tokens last by what admins have set, at a process that knows them for less', async () => {
    const store = sharedStore();
    const env = {
      GATEHOUSE_STORAGE_URL: store.url,
      GATEHOUSE_SECRETS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      GATEHOUSE_SECRETS_COOKIE_KEYS: randomBytes(24).toString('base64'),
      GATEHOUSE_LIFETIMES_ACCESS_TOKEN: '60',
      GATEHOUSE_LIFETIMES_ID_TOKEN: '60',
    };
    const early = await startGatehouse(env);
    await early.keys.rotation.rotate(['ES256']);
    await early.liveKeys.refresh();
    for (const seconds of [DAY, 2000]) {
      passTime(seconds);
      await early.liveKeys.check();
    }
    const old = (await early.keys.overview()).keys.find(({ state }) => state === 'retiring')!;
    await early.stop();
    passTime(30 * DAY - 100);
    const late = await startGatehouse(env);
    const state = async () => (await late.keys.overview()).keys.find(({ id }) => id === old.id)?.state;
    await late.settings.change(OPERATOR, { 'lifetimes.id_token': 3600 });
    passTime(200);
    await late.liveKeys.check();
    expect([await state(), late.keys.longest()]).toEqual(['retiring', 3600]);
    await late.settings.change(OPERATOR, { 'lifetimes.id_token': null });
    await late.liveKeys.check();
    expect([await state(), late.keys.longest()]).toEqual(['removed', 60]);
    await late.stop();
    await store.drop();
  });

  it('that are added to the configuration can be used from the next start on, and change nothing for others', async () => {
    const store = sharedStore();
    const env = {
      GATEHOUSE_STORAGE_URL: store.url,
      GATEHOUSE_SECRETS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      GATEHOUSE_SECRETS_COOKIE_KEYS: randomBytes(24).toString('base64'),
    };
    await (await startGatehouse(env)).stop();
    const more = await startGatehouse({ ...env, GATEHOUSE_KEYS_ALGORITHMS: 'PS256,ES256,RS256,EdDSA' });
    const app = await more.app({ first_party: true, id_token_signed_response_alg: 'EdDSA' });
    const { id_token } = await (await relyingParty(more, app)).signIn(await more.person());
    expect(decodeProtectedHeader(id_token!).alg).toBe('EdDSA');
    const notes = await more.app({ type: 'api', name: 'Notes API', scope: 'notes:read' });
    const nightly = await more.app({ type: 'service', name: 'Nightly', scope: 'notes:read' });
    const { body } = await as(more, nightly).clientCredentials({ resource: notes.resource! });
    expect(decodeProtectedHeader(String(body['access_token'])).alg).toBe('ES256');
    await more.stop();
    await store.drop();
  });
});
