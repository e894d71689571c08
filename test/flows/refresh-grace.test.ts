/** Several tabs, lost answers and impatient retries: nobody is signed out by them. */
import path from 'node:path';
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { as, userinfo } from '../support/endpoints.ts';
import type { Answer, Fields } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { startInstances } from '../support/instances.ts';
import type { Instances } from '../support/instances.ts';
import { atOnce, authorize, backToNow, browserFor, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { clickThrough, relyingParty } from '../support/relying-party.ts';

const OFFLINE = { scope: 'openid profile email offline_access' };
const successor = ({ body }: Answer) => body['refresh_token'];
const accessToken = ({ body }: Answer) => String(body['access_token']);

describe('a refresh token that was just replaced', () => {
  let instances: Instances;
  let person: Person;
  let app: App;
  beforeAll(async () => {
    instances = await startInstances();
    person = await instances.all[0].person();
    app = await instances.all[0].app({ first_party: true });
  });
  afterAll(() => instances.stop());
  // Time stands still, so that a busy machine is not outside the window.
  beforeEach(() => passTime(0));
  afterEach(backToNow);

  async function signIn(parameters: Fields = OFFLINE) {
    const rp = await relyingParty(instances.all[0], app);
    const { callback, checks } = await authorize(rp, person, parameters);
    return rp.redeem(callback, checks);
  }
  const refreshAt = (instance: number, token: unknown, fields?: Fields) =>
    as(instances.all[instance]!, app).refresh(String(token), fields);
  const refresh = (token: unknown, fields?: Fields) => refreshAt(0, token, fields);

  it('gives its one successor again, and tokens that work', async () => {
    const { refresh_token } = await signIn();
    const first = await refresh(refresh_token);
    const again = await refresh(refresh_token);
    expect([again.status, successor(again)]).toEqual([200, successor(first)]);
    expect(accessToken(again)).not.toBe(accessToken(first));
    for (const answer of [first, again])
      expect((await userinfo(instances.all[0], accessToken(answer))).status).toBe(200);
    expect((await refresh(successor(again))).status).toBe(200);
  });

  it('gives it to fifty tabs at once, whichever instance they reach', async () => {
    const { refresh_token } = await signIn();
    const answers = await atOnce(50, (tab) => refreshAt(tab % 2, refresh_token));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    const successors = new Set(answers.map(successor));
    expect(successors.size).toBe(1);
    expect(successors.has(refresh_token)).toBe(false);
    passTime(3600);
    expect((await refreshAt(1, [...successors][0])).status).toBe(200);
  });

  it('gives it until the window ends, counted from its first use', async () => {
    const { refresh_token } = await signIn();
    const first = await refresh(refresh_token);
    for (let second = 1; second < 10; second += 1) {
      passTime(1);
      expect([second, successor(await refreshAt(second % 2, refresh_token))]).toEqual([second, successor(first)]);
    }
    passTime(1);
    expect((await refresh(refresh_token)).body['error']).toBe('invalid_grant');
  });

  it('gives it also where another tab has gone on since, and both go on', async () => {
    const { refresh_token } = await signIn();
    const first = await refresh(refresh_token);
    const second = await refresh(successor(first));
    const third = await refresh(successor(second));
    passTime(5);
    for (const [late, next] of [
      [refresh_token, first],
      [successor(first), second],
      [successor(second), third],
    ] as const)
      expect(successor(await refreshAt(1, late))).toBe(successor(next));
    expect((await refresh(successor(third))).status).toBe(200);
  });

  it('may be sent with fewer scopes the second time', async () => {
    const { refresh_token } = await signIn();
    const first = await refresh(refresh_token);
    const again = await refresh(refresh_token, { scope: 'openid email' });
    expect([again.body['scope'], successor(again)]).toEqual(['openid email', successor(first)]);
    expect((await userinfo(instances.all[0], accessToken(again))).body).not.toHaveProperty('name');
    const wide = await refresh(successor(again));
    expect((await userinfo(instances.all[0], accessToken(wide))).body).toHaveProperty('name');
  });

  it('may be sent for another of the APIs that were granted', async () => {
    const [notes, photos] = [
      await instances.all[0].app({ type: 'api', scope: 'notes:read' }),
      await instances.all[0].app({ type: 'api', scope: 'photos:read' }),
    ];
    const rp = await relyingParty(instances.all[0], app);
    const { url, checks } = await rp.request({ scope: 'openid offline_access notes:read photos:read' });
    for (const { resource } of [notes, photos]) url.searchParams.append('resource', resource!);
    const callback = await clickThrough(browserFor(rp), url, person);
    const { refresh_token } = await rp.redeem(callback, checks, { resource: notes.resource! });
    const first = await refresh(refresh_token, { resource: notes.resource! });
    const again = await refresh(refresh_token, { resource: photos.resource! });
    expect(successor(again)).toBe(successor(first));
    expect((await as(instances.all[0], photos).introspect(accessToken(again))).body).toMatchObject({
      active: true,
      aud: photos.resource,
    });
  });

  it('is not a live token to whoever asks about it', async () => {
    const { refresh_token } = await signIn();
    const answer = await refresh(refresh_token);
    const about = async (token: unknown) => (await as(instances.all[0], app).introspect(String(token))).body['active'];
    expect([await about(refresh_token), await about(successor(answer))]).toEqual([false, true]);
  });

  it('revoked by its client ends the family', async () => {
    const { refresh_token } = await signIn();
    const answer = await refresh(refresh_token);
    await as(instances.all[0], app).revoke(refresh_token!);
    expect((await refresh(refresh_token)).body['error']).toBe('invalid_grant');
    expect((await refresh(successor(answer))).body['error']).toBe('invalid_grant');
  });

  it('gives nothing once its grant was revoked', async () => {
    const { refresh_token } = await signIn();
    const answer = await refresh(refresh_token);
    await as(instances.all[1], app).revoke(String(successor(answer)));
    expect((await refresh(refresh_token)).body['error']).toBe('invalid_grant');
  });

  it('bound to a key gives its successor for new proof by that key', async () => {
    const spa = await instances.all[0].app({ type: 'spa', first_party: true });
    const rp = await relyingParty(instances.all[0], spa);
    const DPoP = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair('ES256'));
    const { callback, checks } = await authorize(rp, person, OFFLINE);
    const { refresh_token } = await oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP });
    const tabs = await atOnce(10, () => oidc.refreshTokenGrant(rp.config, refresh_token!, {}, { DPoP }));
    expect(new Set(tabs.map((tab) => tab.refresh_token)).size).toBe(1);
    expect(tabs[0]!.token_type).toBe('dpop');
  });
});

describe('with a grace window', () => {
  beforeEach(() => passTime(0));
  afterEach(backToNow);

  async function signedIn(grace: string) {
    const gatehouse = await startGatehouse({ GATEHOUSE_LIFETIMES_REFRESH_TOKEN_GRACE: grace });
    const app = await gatehouse.app({ first_party: true });
    const rp = await relyingParty(gatehouse, app);
    const { refresh_token } = await rp.signIn(await gatehouse.person(), OFFLINE);
    return { gatehouse, refresh: (token: unknown) => as(gatehouse, app).refresh(String(token)), refresh_token };
  }

  it('of none, one of many at once wins, and a used token is good for nothing', async () => {
    const { gatehouse, refresh, refresh_token } = await signedIn('0');
    const answers = await atOnce(20, () => refresh(refresh_token));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body['error'] === 'invalid_grant')).toHaveLength(19);
    expect((await refresh(refresh_token)).body['error']).toBe('invalid_grant');
    await gatehouse.stop();
  });

  it('of a minute, a retry half a minute later is fine', async () => {
    const { gatehouse, refresh, refresh_token } = await signedIn('60');
    const first = await refresh(refresh_token);
    passTime(30);
    expect(successor(await refresh(refresh_token))).toBe(successor(first));
    await gatehouse.stop();
  });
});

/** Whoever got no answer tries again, long after any window. */
describe('a refresh that failed while the signing keys were out of reach', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    const signer = path.resolve(import.meta.dirname, '../support/signer-that-fails.ts');
    gatehouse = await startGatehouse({ GATEHOUSE_KEYS_SIGNER: signer });
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    backToNow();
  });
  afterAll(() => gatehouse.stop());

  it.each(['openid profile offline_access', 'openid notes:read offline_access'])(
    'leaves its token as it was: %s',
    async (scope) => {
      const api = scope.includes('notes') ? await gatehouse.app({ type: 'api', scope: 'notes:read' }) : undefined;
      const app = await gatehouse.app({ first_party: true });
      const rp = await relyingParty(gatehouse, app);
      const resource = api ? { resource: api.resource! } : {};
      const { refresh_token } = await rp.signIn(await gatehouse.person(), { scope, ...resource });
      // With and without an ID token in the answer.
      const asked: Fields[] = api ? [resource, { ...resource, scope: 'notes:read' }] : [{}];
      let newest: unknown = refresh_token;
      for (const fields of asked) {
        vi.stubEnv('SIGNER_IS_AWAY', 'yes');
        expect((await as(gatehouse, app).refresh(String(newest), fields)).status).toBe(503);
        passTime(60);
        vi.stubEnv('SIGNER_IS_AWAY', undefined);
        const answer = await as(gatehouse, app).refresh(String(newest), fields);
        expect([answer.status, 'id_token' in answer.body]).toEqual([200, !fields['scope']]);
        newest = successor(answer);
      }
      passTime(60);
      expect((await as(gatehouse, app).refresh(String(newest), resource)).status).toBe(200);
    },
  );
});
