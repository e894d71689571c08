import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, authorize, backToNow, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const DAY = 86_400;
const OFFLINE = { scope: 'openid profile email offline_access' };

describe('a refresh token', () => {
  let gatehouse: Running;
  let person: Person;
  let app: App;
  let rp: RelyingParty;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
    app = await gatehouse.app();
    rp = await relyingParty(gatehouse, app);
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);

  async function tokens(parameters: Record<string, string> = OFFLINE, browser?: Browser, by = rp) {
    const { callback, checks } = await authorize(by, person, parameters, browser);
    return by.redeem(callback, checks);
  }
  const refresh = (token: unknown, fields?: Record<string, string>) =>
    as(gatehouse, app).refresh(String(token), fields);

  it('is replaced at each use', async () => {
    const first = await tokens();
    const second = await refresh(first.refresh_token);
    expect(second.status).toBe(200);
    expect(second.body['refresh_token']).not.toBe(first.refresh_token);
    expect((await refresh(second.body['refresh_token'])).status).toBe(200);
  });

  it('is not needed for an access token to work to its end, and not a moment longer', async () => {
    const { access_token } = await tokens({ scope: 'openid' });
    passTime(890);
    expect((await userinfo(gatehouse, access_token)).status).toBe(200);
    passTime(11);
    expect((await userinfo(gatehouse, access_token)).status).toBe(401);
  });

  it('is not given without offline_access', async () => {
    expect((await tokens({ scope: 'openid' })).refresh_token).toBeUndefined();
  });

  it('used a second time ends the whole family', async () => {
    const first = await tokens();
    const second = await refresh(first.refresh_token);
    passTime(10);
    expect((await refresh(first.refresh_token)).body['error']).toBe('invalid_grant');
    expect((await refresh(second.body['refresh_token'])).body['error']).toBe('invalid_grant');
    expect((await userinfo(gatehouse, String(second.body['access_token']))).status).toBe(401);
  });

  it('used a second time ends JWT access tokens too', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const first = await tokens({ ...OFFLINE, resource: api.resource! });
    await refresh(first.refresh_token);
    passTime(10);
    await refresh(first.refresh_token);
    expect((await as(gatehouse, api).introspect(first.access_token)).body).toEqual({ active: false });
  });

  it('used a second time ends the family, however many refreshes later', async () => {
    const { refresh_token: first } = await tokens();
    let newest: unknown = first;
    for (let i = 0; i < 5; i += 1) newest = (await refresh(newest)).body['refresh_token'];
    passTime(10);
    expect((await refresh(first)).body['error']).toBe('invalid_grant');
    expect((await refresh(newest)).body['error']).toBe('invalid_grant');
  });

  it('made up after the likeness of a used one ends nothing', async () => {
    const { refresh_token: first } = await tokens();
    const newest = (await refresh(first)).body['refresh_token'];
    for (const forged of [
      `${first!.slice(0, -2)}${first!.endsWith('AA') ? 'BB' : 'AA'}`,
      first!.replace('~0~', '~2~'),
    ]) {
      expect(forged).not.toBe(first);
      expect((await refresh(forged)).body['error']).toBe('invalid_grant');
    }
    expect((await refresh(newest)).status).toBe(200);
  });

  it('used by many at once gives all of them its one successor', async () => {
    passTime(0);
    const { refresh_token } = await tokens();
    const answers = await atOnce(20, () => refresh(refresh_token));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(answers.map(({ body }) => body['refresh_token'])).size).toBe(1);
    expect((await refresh(answers[0]!.body['refresh_token'])).status).toBe(200);
  });

  it('may ask for fewer scopes, and gets the others back the next time', async () => {
    const first = await tokens();
    const narrow = await refresh(first.refresh_token, { scope: 'openid email' });
    expect(narrow.body['scope']).toBe('openid email');
    expect((await userinfo(gatehouse, String(narrow.body['access_token']))).body).not.toHaveProperty('name');
    const wide = await refresh(narrow.body['refresh_token']);
    expect((await userinfo(gatehouse, String(wide.body['access_token']))).body).toHaveProperty('name');
  });

  it('may not ask for more scopes, and survives the attempt', async () => {
    const { refresh_token } = await tokens({ scope: 'openid offline_access' });
    expect((await refresh(refresh_token, { scope: 'openid email' })).body['error']).toBe('invalid_scope');
    expect((await refresh(refresh_token)).status).toBe(200);
  });

  it('may not become a token for an API that was not granted, and survives the attempt', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const { refresh_token } = await tokens();
    expect((await refresh(refresh_token, { resource: api.resource! })).body['error']).toBe('invalid_target');
    passTime(60);
    expect((await refresh(refresh_token)).status).toBe(200);
  });

  it('is of no use to another client', async () => {
    const { refresh_token } = await tokens();
    const thief = as(gatehouse, await gatehouse.app());
    expect((await thief.refresh(refresh_token!)).body['error']).toBe('invalid_grant');
    expect((await refresh(refresh_token)).status).toBe(200);
  });

  it('lasts seven days without use', async () => {
    const { refresh_token } = await tokens();
    passTime(7 * DAY - 60);
    expect((await refresh(refresh_token)).status).toBe(200);
  });

  it('ends after seven days without use', async () => {
    const { refresh_token } = await tokens();
    passTime(7 * DAY + 1);
    expect((await refresh(refresh_token)).body['error']).toBe('invalid_grant');
  });

  it('used daily ends after thirty days', async () => {
    let { refresh_token } = (await tokens()) as { refresh_token?: unknown };
    for (let day = 1; day < 30; day += 1) {
      passTime(DAY);
      const { status, body } = await refresh(refresh_token);
      expect([day, status]).toEqual([day, 200]);
      refresh_token = body['refresh_token'];
    }
    passTime(DAY + 1);
    expect((await refresh(refresh_token)).body['error']).toBe('invalid_grant');
  });

  describe('to the second', () => {
    async function signedInNow() {
      passTime(0);
      return (await tokens()).refresh_token;
    }
    /** Refreshes each day, so that it is never idle for long. */
    async function keptUntil(end: number) {
      let token: unknown = await signedInNow();
      let answer;
      for (let at = DAY; at < end; at += DAY) {
        passTime(DAY);
        answer = await refresh(token);
        expect([at / DAY, answer.status]).toEqual([at / DAY, 200]);
        token = answer.body['refresh_token'];
      }
      passTime(DAY - 1);
      return token;
    }

    it('lives as long as it may be idle', async () => {
      const token = await signedInNow();
      passTime(7 * DAY - 1);
      expect((await refresh(token)).status).toBe(200);
    });

    it('ends when it was idle for so long', async () => {
      const token = await signedInNow();
      passTime(7 * DAY);
      expect((await refresh(token)).body['error']).toBe('invalid_grant');
    });

    it('lives as long as its chain may, however often it was used', async () => {
      expect((await refresh(await keptUntil(30 * DAY))).status).toBe(200);
    });

    it('ends with its chain, with all that was given, the window of grace notwithstanding', async () => {
      const token = await keptUntil(30 * DAY);
      const last = await refresh(token);
      passTime(1);
      for (const one of [token, last.body['refresh_token']])
        expect((await refresh(one)).body['error']).toBe('invalid_grant');
      passTime(60);
      expect((await userinfo(gatehouse, String(last.body['access_token']))).status).toBe(401);
    });
  });

  it('brings a new access token after the old one ended', async () => {
    const first = await tokens();
    passTime(901);
    expect((await userinfo(gatehouse, first.access_token)).status).toBe(401);
    const second = await refresh(first.refresh_token);
    expect((await userinfo(gatehouse, String(second.body['access_token']))).status).toBe(200);
  });

  it('with offline_access outlives the session', async () => {
    const { refresh_token } = await tokens();
    passTime(2 * DAY);
    expect((await refresh(refresh_token)).status).toBe(200);
  });

  it('survives the authorization of a second tab', async () => {
    const browser = new Browser(gatehouse.issuer);
    const first = await tokens(OFFLINE, browser);
    const second = await tokens(OFFLINE, browser);
    expect((await refresh(first.refresh_token)).status).toBe(200);
    expect((await userinfo(gatehouse, first.access_token)).status).toBe(200);
    expect((await refresh(second.refresh_token)).status).toBe(200);
  });

  it('survives the sign-in of the same person on another device', async () => {
    const first = await tokens();
    await tokens();
    expect((await refresh(first.refresh_token)).status).toBe(200);
  });

  it('revoked ends its access tokens', async () => {
    const first = await tokens();
    await as(gatehouse, app).revoke(first.refresh_token!);
    expect((await userinfo(gatehouse, first.access_token)).status).toBe(401);
    expect((await refresh(first.refresh_token)).body['error']).toBe('invalid_grant');
  });

  describe('of a web client that always gets one', () => {
    const session = async () => {
      app = await gatehouse.app({ always_issue_refresh_token: true });
      rp = await relyingParty(gatehouse, app);
      return tokens({ scope: 'openid email' });
    };

    it('comes without offline_access', async () => {
      const { refresh_token } = await session();
      expect((await refresh(refresh_token)).status).toBe(200);
    });

    it('ends with the session', async () => {
      const { refresh_token } = await session();
      passTime(DAY + 1);
      expect((await refresh(refresh_token)).body['error']).toBe('invalid_grant');
    });
  });
});
