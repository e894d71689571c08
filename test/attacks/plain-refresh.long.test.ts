/**
 * Refresh tokens that are not, or no longer, good for what they are sent for. Usual refreshes may be answered by a shorter way than the
 * library's: it gives nothing that the library would not, in the same words, and whatever ends by a wrong token ends by either way.
 */
import { decodeProtectedHeader } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accessToken, OFFLINE, refreshToken, WAYS } from '../support/both-codes.ts';
import { ask, comparable, UNUSUAL, USUAL } from '../support/both-ways.ts';
import type { Beside, Told } from '../support/both-ways.ts';
import { Browser } from '../support/browser.ts';
import { clientCert, makeCertificate } from '../support/certificates.ts';
import { askAs } from '../support/chains.ts';
import { clientKey } from '../support/client-keys.ts';
import { as, basic, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, authorize, backToNow, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { keyIds } from '../support/keys.ts';
import { relyingParty } from '../support/relying-party.ts';

const DAY = 86_400;
let gatehouse: Running;
let person: Person;
let app: App;
beforeAll(async () => {
  gatehouse = await startGatehouse({
    GATEHOUSE_LIMITS_ENABLED: 'false',
    GATEHOUSE_MTLS_ENABLED: 'true',
    GATEHOUSE_MTLS_CERTIFICATE_HEADER: 'Client-Cert',
    GATEHOUSE_TRUSTED_PROXIES: 'loopback',
  });
});
afterAll(() => gatehouse.stop());
beforeEach(async () => {
  await later(0); // and stands still, so that a busy machine is not outside of a window
  person = await gatehouse.person();
  app = await gatehouse.app({ first_party: true });
});
afterEach(backToNow);

/** Time in which the process looked at its signing keys: until it has, everything goes the longer way. */
async function later(seconds: number, at = gatehouse): Promise<void> {
  passTime(seconds);
  await at.liveKeys.refresh();
}

async function signIn(parameters: Record<string, string> = OFFLINE, browser = new Browser(gatehouse.issuer)) {
  const { callback, checks } = await authorize(await relyingParty(gatehouse, app), person, parameters, browser);
  const [resource] = parameters['resource'] === undefined ? [] : [parameters['resource']];
  const { refresh_token } = (
    await as(gatehouse, app).redeem({ callback, checks }, resource === undefined ? {} : { resource })
  ).body;
  return refresh_token as string;
}
const refresh = (token: string, beside: Beside, fields: Record<string, string> = {}, by = app) =>
  askAs(gatehouse, by, [...Object.entries({ grant_type: 'refresh_token', refresh_token: token, ...fields })], beside);

/** Sends what a token is wrong for in both forms. @returns the answer. */
async function isRefused(token: string, error: string, fields?: Record<string, string>, by = app): Promise<Told> {
  const [one, other] = [await refresh(token, USUAL, fields, by), await refresh(token, UNUSUAL, fields, by)];
  expect(comparable(one)).toEqual(comparable(other));
  expect(one.body['error']).toBe(error);
  return one;
}

describe('a refresh token', () => {
  it('that was used ends its family, whichever way it was used, and whichever way it comes again', async () => {
    for (const first of WAYS)
      for (const again of WAYS) {
        const token = await signIn();
        const newest = await refresh(token, first);
        await later(10);
        expect((await refresh(token, again)).body['error']).toBe('invalid_grant');
        for (const way of WAYS) expect((await refresh(refreshToken(newest), way)).body['error']).toBe('invalid_grant');
        expect((await userinfo(gatehouse, accessToken(newest))).status).toBe(401);
      }
    await gatehouse.audit.idle();
    const { items } = await gatehouse.audit.listByAccount(person.sub, { limit: 50 });
    expect(items.filter(({ type }) => type === 'token_reused')).toHaveLength(4);
  });

  it('that was just used gives its one successor again, whichever way it comes', async () => {
    for (const first of WAYS)
      for (const again of WAYS) {
        const token = await signIn();
        const newest = await refresh(token, first);
        await later(9);
        const late = await refresh(token, again);
        expect(comparable(late)).toEqual(comparable(newest));
        expect(refreshToken(late)).toBe(refreshToken(newest));
        expect(accessToken(late)).not.toBe(accessToken(newest));
        expect((await refresh(refreshToken(late), first)).status).toBe(200);
      }
  });

  it('with any letter changed, left out or put in is refused, and ends nothing', async () => {
    const token = await signIn();
    const other = (letter: string) => (letter === 'A' ? 'B' : 'A');
    const places = [0, 1, 5, 10, 21, 22, 23, 24, 25, 30, 45, token.length - 2];
    for (const place of places) {
      const [before, letter, after] = [token.slice(0, place), token[place]!, token.slice(place + 1)];
      for (const forged of [before + other(letter) + after, before + after, `${before}A${letter}${after}`])
        await isRefused(forged, 'invalid_grant');
    }
    for (const forged of [
      token.toUpperCase(),
      token.toLowerCase(),
      `${token}A`,
      ` ${token}`,
      `${token}=`,
      token.repeat(2),
    ])
      await isRefused(forged, 'invalid_grant');
    await later(60);
    expect((await refresh(token, USUAL)).status).toBe(200);
  });

  it('of the future, or of another chain, is refused, and ends nothing', async () => {
    const [token, another] = [await signIn(), await signIn()];
    const [chain, , signature] = token.split('~');
    for (const forged of [
      token.replace('~0~', '~1~'),
      token.replace('~0~', '~00~'),
      token.replace('~0~', '~-1~'),
      `${chain}~0~${another.split('~')[2]}`,
      `${another.split('~')[0]}~0~${signature}`,
    ])
      await isRefused(forged, 'invalid_grant');
    for (const one of [token, another]) expect((await refresh(one, USUAL)).status).toBe(200);
  });

  it('of another client is refused, and ends nothing', async () => {
    const token = await signIn();
    await isRefused(token, 'invalid_grant', {}, await gatehouse.app({ first_party: true }));
    expect((await refresh(token, USUAL)).status).toBe(200);
  });

  it('that is something else is refused', async () => {
    const tokens = await refresh(await signIn(), USUAL);
    const { access_token, id_token } = tokens.body as Record<string, string>;
    for (const token of [access_token!, id_token!, 'null', '0', '~', '~~', '~0~', '__proto__'])
      await isRefused(token, 'invalid_grant');
  });

  it('lives to the second, and not a moment longer', async () => {
    const chains = [await signIn(), await signIn()] as const;
    await later(7 * DAY - 1);
    const [one, other] = [await refresh(chains[0], USUAL), await refresh(chains[1], UNUSUAL)];
    expect(comparable(one)).toEqual(comparable(other));
    expect(one.status).toBe(200);
    await later(7 * DAY);
    for (const token of [refreshToken(one), refreshToken(other)]) await isRefused(token, 'invalid_grant');
  });

  it('ends with its chain after thirty days, by either way', async () => {
    const chains = [await signIn(), await signIn()];
    for (let day = 6; day <= 30; day += 6) {
      await later(6 * DAY - (day === 30 ? 1 : 0));
      const answers = [await refresh(chains[0]!, USUAL), await refresh(chains[1]!, UNUSUAL)];
      expect(comparable(answers[0]!)).toEqual(comparable(answers[1]!));
      expect([day, answers[0]!.status]).toEqual([day, 200]);
      chains.splice(0, 2, ...answers.map(refreshToken));
    }
    await later(1);
    for (const token of chains) await isRefused(token, 'invalid_grant');
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['of a suspended account', () => gatehouse.access.suspend(person.sub), 'invalid_grant'],
    [
      'of an account of which the suspension was stopped halfway',
      () => gatehouse.accounts.setState(person.sub, 'suspended'),
      'invalid_grant',
    ],
    [
      'of an account that its person wants deleted',
      () => gatehouse.access.leave(person.sub, '2099-01-01'),
      'invalid_grant',
    ],
    ['of a deleted account', () => gatehouse.access.remove(person.sub), 'invalid_grant'],
    ['after a new password', () => gatehouse.access.setPassword(person.sub, 'another tr0ubadour'), 'invalid_grant'],
    ['of a withdrawn consent', () => gatehouse.access.withdrawConsent(person.sub, app.client_id), 'invalid_grant'],
    ['of a deleted client', () => gatehouse.clients.delete(app.client_id), 'invalid_client'],
    [
      'of a client that may not refresh any more',
      () => gatehouse.clients.update(app.client_id, { protocol: { grant_types: ['authorization_code'] } }),
      'invalid_request',
    ],
    [
      'of a client that proves itself by a key now',
      async () => {
        const { jwks } = await clientKey();
        const protocol = { token_endpoint_auth_method: 'private_key_jwt', jwks } as const;
        return gatehouse.clients.update(app.client_id, { protocol });
      },
      'invalid_client',
    ],
    [
      'of a client that is held to FAPI 2.0 now',
      async () => {
        const { jwks } = await clientKey();
        const protocol = { fapi_profile: 'security', token_endpoint_auth_method: 'private_key_jwt', jwks } as const;
        return gatehouse.clients.update(app.client_id, { protocol });
      },
      'invalid_client',
    ],
    [
      'of a client whose tokens are bound to a key now',
      () => gatehouse.clients.update(app.client_id, { protocol: { dpop_bound_access_tokens: true } }),
      'invalid_grant',
    ],
    [
      'of a client whose tokens are bound to a certificate now',
      () => gatehouse.clients.update(app.client_id, { protocol: { tls_client_certificate_bound_access_tokens: true } }),
      'invalid_grant',
    ],
  ])('%s is refused', async (_whose, happen, error) => {
    // Nothing is asked at first, so that what was held in memory is of before.
    const tokens = [await signIn(), await refresh(await signIn(), USUAL).then(refreshToken)];
    await happen();
    await later(2);
    for (const token of tokens) await isRefused(token, error);
  });

  it('of which the family was revoked is refused, and that right away', async () => {
    for (const way of WAYS) {
      const newest = await refresh(await signIn(), way);
      await as(gatehouse, app).revoke(refreshToken(newest));
      await isRefused(refreshToken(newest), 'invalid_grant');
    }
  });

  it('of a suspended account is refused right away, also where it was refreshed just before', async () => {
    for (const way of WAYS) {
      person = await gatehouse.person();
      const newest = await refresh(await signIn(), way);
      await gatehouse.access.suspend(person.sub);
      await isRefused(refreshToken(newest), 'invalid_grant');
    }
  });

  describe('that ends with its session', () => {
    const signedIn = async (browser?: Browser) => {
      app = await gatehouse.app({ first_party: true, always_issue_refresh_token: true });
      return signIn({ scope: 'openid email' }, browser);
    };

    it('is good while that lasts, and refused when it was idle for too long', async () => {
      const newest = await refresh(await signedIn(), USUAL);
      expect(newest.status).toBe(200);
      await later(DAY + 1);
      await isRefused(refreshToken(newest), 'invalid_grant');
    });

    it('is refused right after log-out', async () => {
      const browser = new Browser(gatehouse.issuer);
      const newest = await refresh(await signedIn(browser), USUAL);
      await browser.submit(await browser.open('/session/end'), { logout: 'yes' });
      await isRefused(refreshToken(newest), 'invalid_grant');
    });
  });

  it('that is bound to a key is refused without proof, and the successor of one too', async () => {
    app = await gatehouse.app({ type: 'spa', first_party: true });
    const rp = await relyingParty(gatehouse, app);
    const DPoP = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair('ES256'));
    const { callback, checks } = await authorize(rp, person, OFFLINE);
    const first = await oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP });
    await isRefused(first.refresh_token!, 'invalid_grant');
    const second = await oidc.refreshTokenGrant(rp.config, first.refresh_token!, {}, { DPoP });
    await isRefused(second.refresh_token!, 'invalid_grant');
  });

  it('that is bound to a certificate is refused without it, also where its app need not have one any more', async () => {
    const bound = { tls_client_certificate_bound_access_tokens: true };
    app = await gatehouse.app({ type: 'spa', first_party: true, protocol: bound });
    const authorized = await authorize(await relyingParty(gatehouse, app), person, OFFLINE);
    const certificate = { 'client-cert': clientCert(await makeCertificate({ to: 7 })) };
    const { body } = await as(gatehouse, app).redeem(authorized, {}, certificate);
    await isRefused(body['refresh_token'] as string, 'invalid_grant');
    await gatehouse.clients.update(app.client_id, { protocol: { tls_client_certificate_bound_access_tokens: null } });
    await later(2);
    await isRefused(body['refresh_token'] as string, 'invalid_grant');
  });

  it('of an app without a secret is refused to others without one, and to whoever has any secret', async () => {
    app = await gatehouse.app({ type: 'spa', first_party: true });
    const token = await signIn();
    const other = await gatehouse.app({ type: 'spa', first_party: true });
    await isRefused(token, 'invalid_grant', {}, other);
    await isRefused(token, 'invalid_client', {}, { ...app, client_secret: 'any' });
    await isRefused(token, 'invalid_client', { client_secret: 'any' });
    expect((await refresh(token, USUAL)).status).toBe(200);
  });
});

describe('a refresh', () => {
  const ASKED = 'openid offline_access notes:read';
  let api: App;
  let other: App;
  beforeEach(async () => {
    [api, other] = [
      await gatehouse.app({ type: 'api', scope: 'notes:read notes:write' }),
      await gatehouse.app({ type: 'api', scope: 'notes:read photos:read' }),
    ];
  });

  it.each<[string, Record<string, string>, string]>([
    ['one scope more', { scope: `${ASKED} email` }, 'invalid_scope'],
    ['one scope more at the API', { scope: 'openid notes:write' }, 'invalid_scope'],
    ['a scope that there is not', { scope: 'everything' }, 'invalid_scope'],
    ['the same scopes with an odd letter', { scope: 'openid\\' }, 'invalid_scope'],
    ['an API that there is not', { resource: 'urn:nowhere' }, 'invalid_target'],
    ['an API that is no address', { resource: 'notes' }, 'invalid_target'],
    ['an API with a fragment', { resource: 'urn:notes#all' }, 'invalid_target'],
  ])('for %s is refused, and leaves its token as it was', async (_what, fields, error) => {
    const token = await signIn({ scope: ASKED, resource: api.resource! });
    await isRefused(token, error, fields);
    await later(60);
    expect((await refresh(token, USUAL)).status).toBe(200);
  });

  it('for an API that was not granted is refused, and leaves its token as it was', async () => {
    const token = await signIn({ scope: ASKED, resource: api.resource! });
    await isRefused(token, 'invalid_target', { resource: other.resource! });
    await later(60);
    expect((await refresh(token, USUAL)).status).toBe(200);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['is gone', () => gatehouse.clients.delete(api.client_id)],
    [
      'is not for its app any more',
      () => gatehouse.clients.update(app.client_id, { allowed_resources: [other.resource!] }),
    ],
  ])('for an API that %s is refused', async (_what, happen) => {
    const token = await signIn({ scope: ASKED, resource: api.resource! });
    const newest = await refresh(token, USUAL);
    expect(newest.status).toBe(200);
    await happen();
    await later(2);
    await isRefused(refreshToken(newest), 'invalid_target');
  });

  it('gives no more than the API offers by now', async () => {
    const chains = [
      await signIn({ scope: `${ASKED} notes:write`, resource: api.resource! }),
      await signIn({ scope: `${ASKED} notes:write`, resource: api.resource! }),
    ] as const;
    await gatehouse.clients.update(api.client_id, { scope: 'notes:read' });
    await later(2);
    const [one, two] = [await refresh(chains[0], USUAL), await refresh(chains[1], UNUSUAL)];
    expect(comparable(one)).toEqual(comparable(two));
    expect(String(one.body['scope'])).not.toContain('notes:write');
  });

  it('by many at the same instant, in both forms, gives all of them the one successor', async () => {
    const token = await signIn();
    const answers = await atOnce(40, (index) => refresh(token, WAYS[index % 2]!));
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));
    expect(new Set(answers.map(refreshToken)).size).toBe(1);
    expect(new Set(answers.map(accessToken)).size).toBe(40);
    for (const answer of answers) expect(comparable(answer)).toEqual(comparable(answers[0]!));
    await later(60);
    expect((await refresh(refreshToken(answers[0]!), USUAL)).status).toBe(200);
  });

  it('at the same instant as its account is suspended, or its family revoked, leaves nothing alive', async () => {
    const ends: ((token: string) => Promise<unknown>)[] = [
      () => gatehouse.access.suspend(person.sub),
      (token) => as(gatehouse, app).revoke(token),
    ];
    for (const end of ends) {
      person = await gatehouse.person();
      const token = await signIn();
      const [, ...answers] = await Promise.all([
        end(token),
        ...Array.from({ length: 10 }, (_, index) => refresh(token, WAYS[index % 2]!)),
      ]);
      for (const answer of answers.filter(({ status }) => status === 200)) {
        await isRefused(refreshToken(answer), 'invalid_grant');
        expect((await userinfo(gatehouse, accessToken(answer))).status).toBe(401);
      }
    }
  });

  it('whose app hung up before it was answered leaves a token that is good, or has its successor', async () => {
    for (const beside of WAYS) {
      const token = await signIn();
      const body = `grant_type=refresh_token&refresh_token=${token}${beside}`;
      const hangUp = new AbortController();
      const asked = fetch(`${gatehouse.issuer}/token`, {
        method: 'POST',
        headers: { ...basic(app.client_id, app.client_secret!), 'content-type': 'application/x-www-form-urlencoded' },
        body,
        signal: hangUp.signal,
      }).catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      hangUp.abort();
      await asked;
      const next = await refresh(token, USUAL);
      expect(next.status).toBe(200);
      expect((await refresh(refreshToken(next), USUAL)).status).toBe(200);
    }
    expect(gatehouse.logged.filter((line) => Number(line['level']) >= 50)).toEqual([]);
  });
});

it('signing keys that are rotated or removed between refreshes count for both ways alike', async () => {
  const own = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
  const api = await own.app({ type: 'api', scope: 'notes:read' });
  const web = await own.app({ first_party: true, id_token_signed_response_alg: 'ES256' });
  const rp = await relyingParty(own, web);
  const somebody = await own.person();
  const fields = { scope: 'openid offline_access notes:read', resource: api.resource! };
  const chains = [
    (await rp.signIn(somebody, fields)).refresh_token!,
    (await rp.signIn(somebody, fields)).refresh_token!,
  ];
  const next = async () => {
    const answers: Told[] = [];
    for (const [index, way] of WAYS.entries())
      answers.push(
        await ask(own, {
          headers: basic(web.client_id, web.client_secret!),
          body: `grant_type=refresh_token&refresh_token=${chains[index]!}${way}`,
        }),
      );
    chains.splice(0, 2, ...answers.map(refreshToken));
    const kids = answers.map(({ body: { id_token, access_token } }) =>
      [id_token, access_token].map((token) => decodeProtectedHeader(token as string).kid!),
    );
    expect(kids[0]).toEqual(kids[1]);
    for (const kid of kids[0]!) expect(await keyIds(own.issuer)).toContain(kid);
    return kids[0]!;
  };
  const before = await next();
  await own.keys.rotation.rotate(['ES256']);
  await later(2, own);
  expect(await next()).toEqual(before);
  await later(DAY, own);
  await own.liveKeys.check();
  const after = await next();
  expect(after).not.toEqual(before);
  await own.keys.rotation.compromise({ algorithms: ['ES256'] });
  await later(2, own);
  expect(await next()).not.toEqual(after);
  await own.stop();
});
