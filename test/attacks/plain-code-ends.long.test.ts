/**
 * Codes that come twice, or too late. Usual exchanges may be answered by a shorter way than the library's: whatever happened between the
 * sign-in and the exchange, and whoever else sends the code, nothing is left alive that would not be by the library's way.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSealedRecords } from '../../src/protocol/sealed-records.ts';
import type { SealedRecords } from '../../src/protocol/sealed-records.ts';
import { accessToken, bothCodes, codeOf, expectRefused, OFFLINE, same, WAYS } from '../support/both-codes.ts';
import type { BothCodes } from '../support/both-codes.ts';
import { later } from '../support/both-grants.ts';
import { comparable, UNUSUAL, USUAL } from '../support/both-ways.ts';
import type { Beside } from '../support/both-ways.ts';
import { Browser } from '../support/browser.ts';
import { clientKey } from '../support/client-keys.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, backToNow } from '../support/journey.ts';
import type { Authorized } from '../support/journey.ts';

const BOTH_IN_TURN = WAYS.flatMap((first) => WAYS.map((again) => [first, again] as const));

let gatehouse: Running;
let records: SealedRecords;
let both: BothCodes;
beforeAll(async () => {
  gatehouse = await startGatehouse({
    GATEHOUSE_LIMITS_ENABLED: 'false',
    GATEHOUSE_MTLS_ENABLED: 'true',
    GATEHOUSE_MTLS_CERTIFICATE_HEADER: 'Client-Cert',
    GATEHOUSE_TRUSTED_PROXIES: 'loopback',
  });
  records = createSealedRecords({ store: gatehouse.storage.protocol, vault: gatehouse.vaultFor('records') });
});
afterAll(() => gatehouse.stop());
beforeEach(async () => {
  await later(0, gatehouse); // and stands still, so that a busy machine is not outside of a lifetime
  both = await bothCodes(gatehouse);
});
afterEach(backToNow);

/** The chains of refresh tokens that are stored, and how many of them have their grant still. */
async function chainsStored() {
  const all = await gatehouse.storage.protocol.listInOrder('', 1_000_000);
  const grants = new Set(all.filter(({ kind }) => kind === 'Grant').map(({ key }) => key));
  const chains = all.filter(({ kind }) => kind === 'RefreshToken');
  return { stored: chains.length, alive: chains.filter(({ grant_key }) => grants.has(grant_key!)).length };
}

describe('a code', () => {
  it.each(BOTH_IN_TURN)('that was used (form %o) and comes again (form %o) ends what it gave', async (first, again) => {
    const code = await both.one();
    const tokens = await both.exchange(code, first);
    const refreshed = await both.refresh(tokens, USUAL);
    const answer = await both.exchange(code, again);
    expectRefused(answer);
    await both.expectDead(tokens);
    await both.expectDead(refreshed);
    expect(comparable(await both.exchange(code, again))).toEqual(comparable(answer));
  });

  it.each(BOTH_IN_TURN)(
    'for an API that was used (form %o) and comes again (form %o) ends its JWT',
    async (first, again) => {
      const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
      const code = await both.one({ scope: 'openid offline_access notes:read', resource: api.resource! });
      const tokens = await both.exchange(code, first);
      const isActive = async () => (await as(gatehouse, api).introspect(accessToken(tokens))).body['active'];
      expect(await isActive()).toBe(true);
      await both.exchange(code, again);
      expect(await isActive()).toBe(false);
    },
  );

  it('that was used ends nothing when another client sends it, or somebody without its verifier', async () => {
    const thief = await gatehouse.app({ first_party: true });
    for (const way of WAYS) {
      const code = await both.one();
      const tokens = await both.exchange(code, way);
      for (const beside of WAYS) {
        expectRefused(await both.exchange(code, beside, same, thief));
        const wrong = await both.exchange(code, beside, (usual) => usual.filter(([name]) => name !== 'code_verifier'));
        expectRefused(wrong);
      }
      expect((await userinfo(gatehouse, accessToken(tokens))).status).toBe(200);
      expect((await both.refresh(tokens, way)).status).toBe(200);
    }
  });

  type Ends = [string, (codes: Authorized[]) => Promise<unknown>, string];
  it.each<Ends>([
    ['of a suspended account', () => gatehouse.access.suspend(both.person.sub), 'invalid_grant'],
    [
      'of an account of which the suspension was stopped halfway',
      () => gatehouse.accounts.setState(both.person.sub, 'suspended'),
      'invalid_grant',
    ],
    ['of an account that is to go', () => gatehouse.access.leave(both.person.sub, '2099-01-01'), 'invalid_grant'],
    ['of a deleted account', () => gatehouse.access.remove(both.person.sub), 'invalid_grant'],
    [
      'after a new password',
      () => gatehouse.access.setPassword(both.person.sub, 'another tr0ubadour'),
      'invalid_grant',
    ],
    [
      'of a withdrawn consent',
      () => gatehouse.access.withdrawConsent(both.person.sub, both.app.client_id),
      'invalid_grant',
    ],
    [
      'of a grant that is gone',
      async (codes) => {
        for (const code of codes) {
          const { grantId } = (await records.find('AuthorizationCode', codeOf(code)))!;
          await records.destroy('Grant', grantId!);
        }
      },
      'invalid_grant',
    ],
    ['of a deleted client', () => gatehouse.clients.delete(both.app.client_id), 'invalid_client'],
    [
      'of a client that may not have codes any more',
      () => gatehouse.clients.update(both.app.client_id, { protocol: { grant_types: ['client_credentials'] } }),
      'invalid_request',
    ],
    [
      'of a client that proves itself by a key now',
      async () => {
        const { jwks } = await clientKey();
        const protocol = { token_endpoint_auth_method: 'private_key_jwt', jwks } as const;
        return gatehouse.clients.update(both.app.client_id, { protocol });
      },
      'invalid_client',
    ],
    [
      'of a client whose tokens are bound to a key now',
      () => gatehouse.clients.update(both.app.client_id, { protocol: { dpop_bound_access_tokens: true } }),
      'invalid_grant',
    ],
    [
      'of a client whose tokens are bound to a certificate now',
      () =>
        gatehouse.clients.update(both.app.client_id, {
          protocol: { tls_client_certificate_bound_access_tokens: true },
        }),
      'invalid_grant',
    ],
  ])('%s is refused, and stays so', async (_whose, happen, error) => {
    const codes = await both.two();
    await happen(codes);
    await later(2, gatehouse);
    expectRefused(await both.answerTo(codes), error);
    expectRefused(await both.answerTo(codes), error);
  });

  it('of a client that may not refresh any more is exchanged, without a refresh token', async () => {
    const codes = await both.two();
    await gatehouse.clients.update(both.app.client_id, { protocol: { grant_types: ['authorization_code'] } });
    await later(2, gatehouse);
    const { status, body } = await both.answerTo(codes);
    expect([status, 'refresh_token' in body]).toEqual([200, false]);
  });

  it('of a grant that gives less by now is exchanged for less', async () => {
    const codes = await both.two();
    for (const code of codes) {
      const { grantId } = (await records.find('AuthorizationCode', codeOf(code)))!;
      const narrow = { openid: { scope: 'offline_access email' } };
      await records.change('Grant', grantId!, (grant) => ({ ...grant, rejected: narrow }), 60);
    }
    const { status, body } = await both.answerTo(codes);
    expect([status, body['scope'], 'refresh_token' in body]).toEqual([200, 'openid', false]);
  });

  it('of a suspended account is refused right away', async () => {
    const codes = await both.two();
    await gatehouse.access.suspend(both.person.sub);
    expectRefused(await both.answerTo(codes));
  });

  it('of a session that was ended is refused where tokens end with it', async () => {
    for (const input of [{}, { always_issue_refresh_token: true }]) {
      both = await bothCodes(gatehouse, { first_party: true, ...input });
      const browser = new Browser(gatehouse.issuer);
      const codes = await both.two({ scope: 'openid email' }, browser);
      await browser.submit(await browser.open('/session/end'), { logout: 'yes' });
      expectRefused(await both.answerTo(codes));
    }
  });

  it('of a session that is over unnoticed is refused where tokens end with it', async () => {
    for (const input of [{}, { always_issue_refresh_token: true }]) {
      both = await bothCodes(gatehouse, { first_party: true, ...input });
      const codes = await both.two({ scope: 'openid email' });
      for (const { jti } of await records.listByAccount('Session', both.person.sub))
        await records.destroy('Session', String(jti));
      expectRefused(await both.answerTo(codes));
    }
  });

  it('of a session that was ended is answered alike where tokens outlast it', async () => {
    const browser = new Browser(gatehouse.issuer);
    const codes = await both.two(OFFLINE, browser);
    await browser.submit(await browser.open('/session/end'), { logout: 'yes' });
    await both.answerTo(codes);
  });

  it('for an API that is gone is refused, and used up', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const codes = await both.two({ scope: 'openid notes:read', resource: api.resource! });
    await gatehouse.clients.delete(api.client_id);
    await later(2, gatehouse);
    expectRefused(await both.answerTo(codes), 'invalid_target');
    expectRefused(await both.answerTo(codes));
  });
});

type Mix = [string, (index: number) => Beside];
const MIXES: Mix[] = [
  ['in the usual form', () => USUAL],
  ['in the unusual one', () => UNUSUAL],
  ['in both', (index) => WAYS[index % 2]!],
  ['in both, the unusual first', (index) => WAYS[(index + 1) % 2]!],
];

describe.each(MIXES)('a code sent by many at the same instant, %s,', (how, formOf) => {
  /** Usual exchanges clean up behind them; the library may leave a chain whose grant is gone, which is good for nothing. */
  async function expectNoneLeft(before: { stored: number; alive: number }): Promise<void> {
    const after = await chainsStored();
    expect(after.alive).toBe(before.alive);
    if (how === 'in the usual form') expect(after.stored).toBe(before.stored);
  }

  it.each([2, 3, 20])('is honoured at most once, and leaves nothing alive: %i of them', async (count) => {
    const before = await chainsStored();
    const code = await both.one();
    await later(0, gatehouse); // lest a busy machine take the longer way
    const answers = await atOnce(count, (index) => both.exchange(code, formOf(index)));
    const honoured = answers.filter(({ status }) => status === 200);
    expect(honoured.length).toBeLessThanOrEqual(1);
    for (const answer of answers.filter((one) => !honoured.includes(one))) expectRefused(answer);
    for (const answer of honoured) await both.expectDead(answer);
    await expectNoneLeft(before);
  });

  it('leaves no JWT alive', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const code = await both.one({ scope: 'openid notes:read', resource: api.resource! });
    const answers = await atOnce(10, (index) => both.exchange(code, formOf(index)));
    const honoured = answers.filter(({ status }) => status === 200);
    expect(honoured.length).toBeLessThanOrEqual(1);
    for (const answer of honoured)
      expect((await as(gatehouse, api).introspect(accessToken(answer))).body).toEqual({ active: false });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['its account is suspended', () => gatehouse.access.suspend(both.person.sub)],
    ['its consent is withdrawn', () => gatehouse.access.withdrawConsent(both.person.sub, both.app.client_id)],
  ])('as %s leaves nothing alive', async (_what, end) => {
    const before = await chainsStored();
    // One for each, so that none is dead by the others.
    const codes = await atOnce(6, () => both.one());
    await later(0, gatehouse);
    const [, ...answers] = await Promise.all([
      end(),
      ...codes.map((code, index) => both.exchange(code, formOf(index))),
    ]);
    for (const answer of answers) {
      if (answer.status === 200) await both.expectDead(answer);
      else expectRefused(answer);
    }
    await expectNoneLeft(before);
  });
});
