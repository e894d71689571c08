import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { as, userinfo } from '../support/endpoints.ts';
import type { Answer } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, authorize, backToNow, passTime } from '../support/journey.ts';
import type { App, Authorized, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

describe('a code', () => {
  let gatehouse: Running;
  let app: App;
  let person: Person;
  let authorized: Authorized;
  let redeem: (fields?: Record<string, string>) => Promise<Answer>;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    app = await gatehouse.app();
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);

  async function getCode(parameters: Record<string, string> = {}) {
    authorized = await authorize(await relyingParty(gatehouse, app), person, parameters);
    redeem = (fields) => as(gatehouse, app).redeem(authorized, fields);
  }
  const works = async ({ body }: Answer) => (await userinfo(gatehouse, String(body['access_token']))).status === 200;
  const refused = async (fields: Record<string, string>, error = 'invalid_grant') => {
    const { status, body } = await redeem(fields);
    expect([status, body['error']]).toEqual([400, error]);
  };

  it.each([{}, { scope: 'openid offline_access' }])(
    'redeemed by twenty at the same instant (%o) is honoured at most once, and what it gave is dead',
    async (parameters) => {
      await getCode(parameters);
      const answers = await atOnce(20, () => redeem());
      const honoured = answers.filter(({ status }) => status === 200);
      expect(honoured.length).toBeLessThanOrEqual(1);
      expect(answers.filter(({ status, body }) => status === 400 && body['error'] !== 'invalid_grant')).toEqual([]);
      for (const answer of honoured) {
        expect(await works(answer)).toBe(false);
        expect((await as(gatehouse, app).refresh(String(answer.body['refresh_token']))).status).toBe(400);
      }
    },
  );

  it('for a JWT, redeemed by twenty at the same instant, leaves nothing alive', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    await getCode({ resource: api.resource! });
    const answers = await atOnce(20, () => redeem());
    for (const { body } of answers.filter(({ status }) => status === 200))
      expect((await as(gatehouse, api).introspect(String(body['access_token']))).body).toEqual({ active: false });
  });

  it('redeemed again revokes what it gave', async () => {
    await getCode({ scope: 'openid offline_access' });
    const first = await redeem();
    expect(await works(first)).toBe(true);
    await refused({});
    expect(await works(first)).toBe(false);
    expect((await as(gatehouse, app).refresh(String(first.body['refresh_token']))).body['error']).toBe('invalid_grant');
  });

  it('redeemed again revokes what was refreshed since', async () => {
    await getCode({ scope: 'openid offline_access' });
    const first = await redeem();
    const second = await as(gatehouse, app).refresh(String(first.body['refresh_token']));
    await refused({});
    expect(await works(second)).toBe(false);
  });

  it('lives sixty seconds', async () => {
    await getCode();
    passTime(58);
    expect((await redeem()).status).toBe(200);
  });

  it('is dead after sixty seconds', async () => {
    await getCode();
    passTime(61);
    await refused({});
  });

  it('of one client is of no use to another, and still good for its own', async () => {
    await getCode();
    const thief = await gatehouse.app();
    const { status, body } = await as(gatehouse, thief).redeem(authorized);
    expect([status, body['error']]).toEqual([400, 'invalid_grant']);
    expect((await redeem()).status).toBe(200);
  });

  it('stolen and replayed by another client does not end the tokens of its own', async () => {
    await getCode();
    const first = await redeem();
    await as(gatehouse, await gatehouse.app()).redeem(authorized);
    expect(await works(first)).toBe(true);
  });

  it('needs the verifier of its challenge', async () => {
    await getCode();
    await refused({ code_verifier: 'w'.repeat(43) });
    await refused({ code_verifier: '' });
  });

  it('does not take the challenge for the verifier', async () => {
    await getCode();
    const { url } = await (await relyingParty(gatehouse, app)).request();
    await refused({ code_verifier: url.searchParams.get('code_challenge')! });
  });

  it.each(['short', 'x'.repeat(129), 'ü'.repeat(50), `${'x'.repeat(43)}\u0000`])(
    'does not take a malformed verifier',
    async (code_verifier) => {
      await getCode();
      const { status, body } = await redeem({ code_verifier });
      expect(status).toBe(400);
      expect(body['error']).toMatch(/^invalid_(grant|request)$/);
    },
  );

  it.each([
    'https://app.example/callback/',
    'https://app.example/Callback',
    'https://app.example/callback?x',
    'https://app.example:443/callback',
    'https://evil.example/',
  ])('needs the redirect_uri it was sent to, not %s', async (redirect_uri) => {
    await getCode();
    await refused({ redirect_uri });
  });

  it('of an app with two redirect URIs needs the one it was sent to', async () => {
    app = await gatehouse.app({ redirect_uris: ['https://app.example/one', 'https://app.example/two'] });
    await getCode();
    await refused({ redirect_uri: '' }, 'invalid_request');
    await refused({ redirect_uri: 'https://app.example/two' });
  });

  it.each(['', 'nonsense', '\u0000', '../../AuthorizationCode', '{"$ne":null}', "' OR 1=1 --", 'x'.repeat(20_000)])(
    'that is no code is refused',
    async (code) => {
      await getCode();
      const { status, body } = await redeem({ code });
      expect(status).toBe(400);
      expect(body['error']).toMatch(/^invalid_(grant|request)$/);
    },
  );

  it('is not an access token, a refresh token or anything to introspect', async () => {
    await getCode();
    const code = authorized.callback.searchParams.get('code')!;
    expect((await userinfo(gatehouse, code)).status).toBe(401);
    expect((await as(gatehouse, app).refresh(code)).body['error']).toBe('invalid_grant');
    expect((await as(gatehouse, app).introspect(code)).body).toEqual({ active: false });
  });

  it('and its tokens cannot stand for one another', async () => {
    await getCode({ scope: 'openid offline_access' });
    const { body } = await redeem();
    const [access, refresh] = [String(body['access_token']), String(body['refresh_token'])];
    expect((await userinfo(gatehouse, refresh)).status).toBe(401);
    expect((await as(gatehouse, app).refresh(access)).body['error']).toBe('invalid_grant');
    await refused({ code: refresh });
  });

  it('gives no token that opens anything from an address (OAuth 2.1, section 5.1.1; RFC 6750, section 2.3)', async () => {
    await getCode({ scope: 'openid offline_access' });
    const { body } = await redeem();
    const query = new URLSearchParams({ access_token: String(body['access_token']) }).toString();
    expect((await fetch(`${gatehouse.issuer}/userinfo?${query}`)).status).toBeGreaterThanOrEqual(400);
    const refresh = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: String(body['refresh_token']),
      client_id: app.client_id,
      client_secret: app.client_secret!,
    }).toString();
    for (const method of ['GET', 'POST'])
      expect((await fetch(`${gatehouse.issuer}/token?${refresh}`, { method })).status).toBeGreaterThanOrEqual(400);
  });

  it('of a public app needs no secret but its verifier, and twenty at once get one answer', async () => {
    app = await gatehouse.app({ type: 'spa' });
    await getCode();
    const answers = await atOnce(20, () => redeem());
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  });
});
