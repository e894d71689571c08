/** Stolen and forged refresh tokens: a thief gets nothing, or is noticed, and the person hears of it once. */
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { clientCert, makeCertificate } from '../support/certificates.ts';
import type { Made } from '../support/certificates.ts';
import { as, userinfo } from '../support/endpoints.ts';
import type { Answer, Fields } from '../support/endpoints.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import { startInstances } from '../support/instances.ts';
import type { Instances } from '../support/instances.ts';
import { atOnce, authorize, backToNow, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { startLogOutReceiver, verifyLogOutToken } from '../support/log-out-receiver.ts';
import { browserOn, openAccount, rows } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';

const OFFLINE = { scope: 'openid email offline_access' };
const successor = ({ body }: Answer) => String(body['refresh_token']);
const accessToken = ({ body }: Answer) => String(body['access_token']);

describe('a stolen refresh token', { timeout: 60_000 }, () => {
  let instances: Instances;
  let person: Person;
  let app: App;
  beforeAll(async () => {
    instances = await startInstances({ GATEHOUSE_MAIL_MAILBOX: 'true', GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    app = await instances.all[0].app({ first_party: true });
  });
  afterAll(() => instances.stop());
  beforeEach(async () => {
    passTime(0); // and stands still, so that a busy machine is not outside the window
    person = await instances.all[0].person();
  });
  afterEach(backToNow);

  async function signIn(parameters: Fields = OFFLINE) {
    const rp = await relyingParty(instances.all[0], app);
    const { callback, checks } = await authorize(rp, person, parameters);
    return (await rp.redeem(callback, checks)).refresh_token!;
  }
  const refresh = (token: string, fields?: Fields, instance = 0) =>
    as(instances.all[instance]!, app).refresh(token, fields);
  const isRefused = async (token: string) => (await refresh(token)).body['error'] === 'invalid_grant';

  async function mailsTold() {
    const { items } = await instances.all[0].mail.outbox.list('shown', { limit: 500 });
    return items.filter(({ message }) => message?.to === person.email && message.template === 'token-reused');
  }
  async function eventsTold() {
    const { items } = await instances.all[0].audit.listByAccount(person.sub, { limit: 100 });
    return items.filter(({ type }) => type === 'token_reused');
  }

  describe('used after the window', () => {
    it('by fifty at once on two instances ends the family, and the person hears of it once', async () => {
      const stolen = await signIn();
      const newest = await refresh(stolen);
      passTime(10);
      const answers = await atOnce(50, (index) => refresh(stolen, {}, index % 2));
      expect(new Set(answers.map(({ body }) => body['error']))).toEqual(new Set(['invalid_grant']));
      expect(await isRefused(successor(newest))).toBe(true);
      expect((await userinfo(instances.all[1], accessToken(newest))).status).toBe(401);
      expect(await mailsTold()).toHaveLength(1);
      expect(await eventsTold()).toEqual([expect.objectContaining({ detail: { client_id: app.client_id } })]);
    });

    it('while the app refreshes ends the family, whoever is first', async () => {
      const stolen = await signIn();
      let newest = await refresh(stolen);
      for (let round = 0; round < 3; round += 1) {
        passTime(10);
        const answers = await Promise.all([
          refresh(successor(newest), {}, 1),
          ...Array.from({ length: 10 }, (_, index) => refresh(stolen, {}, index % 2)),
        ]);
        if (answers[0].status === 200) newest = answers[0]!;
      }
      expect(await isRefused(successor(newest))).toBe(true);
      expect((await userinfo(instances.all[0], accessToken(newest))).status).toBe(401);
      expect(await mailsTold()).toHaveLength(1);
    });

    it('by fifty at once has its app told once, by back-channel, and no other app', async () => {
      const [told, spared] = [await startLogOutReceiver(), await startLogOutReceiver()];
      const [victim, other] = [
        await instances.all[0].app({ first_party: true, backchannel_logout_uri: told.url }),
        await instances.all[0].app({ first_party: true, backchannel_logout_uri: spared.url }),
      ];
      const browser = new Browser(instances.all[0].issuer);
      const [party, bystander] = [
        await relyingParty(instances.all[0], victim),
        await relyingParty(instances.all[0], other),
      ];
      const { callback, checks } = await authorize(party, person, OFFLINE, browser);
      const tokens = await party.redeem(callback, checks);
      await authorize(bystander, person, OFFLINE, browser);
      const use = (index: number) => as(instances.all[index % 2]!, victim).refresh(tokens.refresh_token!);
      await use(0);
      passTime(10);
      await atOnce(50, use);
      const waiting = async () => (await instances.all[0].storage.logout.list('waiting', { limit: 10 })).items;
      const settled = async () => expect([told.tokens.length > 0, await waiting()]).toEqual([true, []]);
      await eventually(settled);
      expect([told.tokens.length, spared.tokens.length]).toEqual([1, 0]);
      const { payload } = await verifyLogOutToken(told.tokens[0]!, instances.all[0].issuer, victim.client_id);
      expect(payload).toMatchObject({ sub: person.sub, sid: tokens.claims()!['sid'] });
      await Promise.all([told.stop(), spared.stop()]);
    });

    it('names the app in the mail and leads to what happened', async () => {
      const stolen = await signIn();
      await refresh(stolen);
      passTime(10);
      await refresh(stolen);
      const [mail] = await mailsTold();
      expect(mail!.message!.data).toMatchObject({
        app: 'Acme Notes',
        url: `${instances.all[0].issuer}/account/activity`,
      });
      const letter = await instances.all[0].mail.write(mail!.message!);
      expect(letter.subject).toBe('You were signed out of Acme Notes');
      const browser = browserOn(instances.all[0].issuer, 'laptop');
      const page = await openAccount(browser, person, '/activity');
      expect(rows(page).find((row) => row.includes('a used key was sent again'))).toMatch(/Acme Notes.*Check this/);
    });

    it('leaves the person’s other sign-ins alone', async () => {
      const [stolen, other] = [await signIn(), await signIn()];
      await refresh(stolen);
      passTime(10);
      await refresh(stolen);
      expect((await refresh(other)).status).toBe(200);
    });

    it('writes no token into the log', async () => {
      const stolen = await signIn();
      const newest = await refresh(stolen);
      passTime(10);
      await refresh(stolen);
      const log = JSON.stringify(instances.all[0].logged);
      expect(log).toContain('a used refresh token was sent again');
      for (const secret of [stolen, successor(newest), accessToken(newest), person.email])
        expect(log).not.toContain(secret);
    });
  });

  describe('inside the window', () => {
    it('gives a thief no line of their own', async () => {
      const stolen = await signIn();
      const [app1, thief] = [await refresh(stolen), await refresh(stolen, {}, 1)];
      expect(successor(thief)).toBe(successor(app1));
      // Whoever goes on first is followed by the other's mistake.
      const gone = await refresh(successor(thief));
      passTime(900);
      expect(await isRefused(successor(app1))).toBe(true);
      expect(await isRefused(successor(gone))).toBe(true);
      expect(await mailsTold()).toHaveLength(1);
    });

    it('whose successor was used already gives that one, never a newer or another one', async () => {
      const stolen = await signIn();
      const next = await refresh(stolen);
      const newest = await refresh(successor(next));
      passTime(9);
      expect(successor(await refresh(stolen))).toBe(successor(next));
      passTime(1);
      expect(await isRefused(successor(next))).toBe(true);
      expect(await isRefused(successor(newest))).toBe(true);
      expect(await mailsTold()).toHaveLength(1);
    });

    it('does not stretch it by refreshing on and on', async () => {
      const chain = [await signIn()];
      for (let step = 0; step < 3; step += 1) {
        chain.push(successor(await refresh(chain.at(-1)!)));
        passTime(6);
      }
      // 6 seconds ago the last one was replaced by the newest, 12 and 18 seconds ago those before it.
      expect(successor(await refresh(chain.at(-2)!))).toBe(chain.at(-1));
      expect(await isRefused(chain.at(-3)!)).toBe(true);
      expect(await isRefused(chain.at(-1)!)).toBe(true);
    });

    it('is of no use to another client, with its secret or without, and ends nothing', async () => {
      const stolen = await signIn();
      const newest = await refresh(stolen);
      for (const thief of [await instances.all[0].app(), await instances.all[0].app({ type: 'spa' })])
        expect((await as(instances.all[0], thief).refresh(stolen)).body['error']).toBe('invalid_grant');
      expect((await refresh(successor(newest))).status).toBe(200);
    });

    it('gives no more scopes and no other API than were granted, and ends nothing', async () => {
      const api = await instances.all[0].app({ type: 'api', scope: 'notes:read' });
      const stolen = await signIn();
      const newest = await refresh(stolen);
      expect((await refresh(stolen, { scope: 'openid email profile roles' })).body['error']).toBe('invalid_scope');
      expect((await refresh(stolen, { resource: api.resource! })).body['error']).toBe('invalid_target');
      expect((await refresh(successor(newest))).status).toBe(200);
    });

    describe('bound to a key (DPoP)', () => {
      async function bound() {
        const spa = await instances.all[0].app({ type: 'spa', first_party: true });
        const rp = await relyingParty(instances.all[0], spa);
        const DPoP = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair('ES256'));
        const { callback, checks } = await authorize(rp, person, OFFLINE);
        const { refresh_token } = await oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP });
        const by = (handle: oidc.DPoPHandle | undefined, token = refresh_token!) =>
          oidc.refreshTokenGrant(rp.config, token, {}, handle ? { DPoP: handle } : {});
        const other = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair('ES256'));
        return { DPoP, by, other };
      }

      it.each([0, 1, 10])(
        'is of no use with another key or none, %i seconds later, and ends nothing',
        async (later) => {
          const { DPoP, by, other } = await bound();
          const newest = await by(DPoP);
          passTime(later);
          for (const thief of [other, undefined])
            await expect(by(thief)).rejects.toMatchObject({ error: 'invalid_grant' });
          expect((await by(DPoP, newest.refresh_token)).refresh_token).toBeTypeOf('string');
          expect(await mailsTold()).toHaveLength(0);
        },
      );

      it('with the right key after the window ends the family', async () => {
        const { DPoP, by } = await bound();
        const newest = await by(DPoP);
        passTime(10);
        await expect(by(DPoP)).rejects.toMatchObject({ error: 'invalid_grant' });
        await expect(by(DPoP, newest.refresh_token)).rejects.toMatchObject({ error: 'invalid_grant' });
        expect(await mailsTold()).toHaveLength(1);
      });
    });

    it('of a public client without a key is noticed as soon as both copies are used', async () => {
      const spa = await instances.all[0].app({ type: 'spa', first_party: true });
      const { refresh_token } = await (await relyingParty(instances.all[0], spa)).signIn(person, OFFLINE);
      const as1 = as(instances.all[0], spa);
      const thief = await as1.refresh(refresh_token!);
      passTime(900);
      expect((await as1.refresh(refresh_token!)).body['error']).toBe('invalid_grant');
      expect((await as1.refresh(successor(thief))).body['error']).toBe('invalid_grant');
      expect(await mailsTold()).toHaveLength(1);
    });
  });

  it.each(['suspended', 'erased'])('of somebody who was %s gives nothing, and nobody is written to', async (what) => {
    const stolen = await signIn();
    const newest = await refresh(stolen);
    const { access } = instances.all[1];
    await (what === 'suspended' ? access.suspend(person.sub) : access.remove(person.sub));
    for (const token of [stolen, successor(newest)]) expect(await isRefused(token)).toBe(true);
    passTime(60);
    const late = await atOnce(10, (index) => refresh(stolen, {}, index % 2));
    expect(new Set(late.map(({ body }) => body['error']))).toEqual(new Set(['invalid_grant']));
    expect(await mailsTold()).toHaveLength(0);
  });

  describe('made up', () => {
    const forged: [what: string, make: (token: string, other: string) => string][] = [
      ['with another signature', (token) => token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA')],
      ['cut short', (token) => token.slice(0, -1)],
      ['with something after it', (token) => `${token}A`],
      ['without a signature', (token) => token.slice(0, token.lastIndexOf('~') + 1)],
      ['with the signature of another chain', (token, other) => token.replace(/[^~]*$/, other.split('~')[2]!)],
      ['as one of the future', (token) => token.replace('~0~', '~2~')],
      ['as the next one', (token) => token.replace('~0~', '~1~')],
      ['as one of a far future', (token) => token.replace('~0~', '~999999999~')],
      ['with a number beyond all numbers', (token) => token.replace('~0~', `~${'9'.repeat(40)}~`)],
      ['with a negative number', (token) => token.replace('~0~', '~-1~')],
      ['with a number written otherwise', (token) => token.replace('~0~', '~00~')],
      ['with an exponent', (token) => token.replace('~0~', '~0e0~')],
      ['of another chain', (token, other) => token.replace(/^[^~]*/, other.split('~')[0]!)],
      ['of nothing', () => '~~'],
    ];

    it.each(forged)('%s gives nothing and ends nothing', async (_what, make) => {
      const [first, other] = [await signIn(), await signIn()];
      const newest = await refresh(first);
      passTime(60);
      const token = make(first, other);
      expect([first, other]).not.toContain(token);
      for (const instance of [0, 1]) expect((await refresh(token, {}, instance)).status).toBe(400);
      expect((await refresh(successor(newest))).status).toBe(200);
      expect((await refresh(other)).status).toBe(200);
      expect(await mailsTold()).toHaveLength(0);
    });
  });
});

describe('a stolen refresh token that is bound to a certificate (mutual TLS)', () => {
  it('is of no use without it, inside the window and after, and ends nothing', async () => {
    passTime(0);
    const gatehouse = await startGatehouse({
      GATEHOUSE_MTLS_ENABLED: 'true',
      GATEHOUSE_MTLS_CERTIFICATE_HEADER: 'Client-Cert',
      GATEHOUSE_TRUSTED_PROXIES: 'loopback',
    });
    const spa = await gatehouse.app({
      type: 'spa',
      first_party: true,
      protocol: { tls_client_certificate_bound_access_tokens: true },
    });
    const [own, other] = [await makeCertificate({ to: 7 }), await makeCertificate({ to: 7 })];
    const by = (made: Made | undefined) => (made ? { 'client-cert': clientCert(made) } : undefined);
    const { token, refresh } = as(gatehouse, spa);
    const authorized = await authorize(await relyingParty(gatehouse, spa), await gatehouse.person(), OFFLINE);
    const first = await token(
      {
        grant_type: 'authorization_code',
        code: authorized.callback.searchParams.get('code')!,
        redirect_uri: spa.redirect_uri,
        code_verifier: String(authorized.checks.pkceCodeVerifier),
      },
      by(own),
    );
    const newest = await refresh(successor(first), {}, by(own));
    for (const later of [0, 60]) {
      passTime(later);
      for (const thief of [other, undefined])
        expect((await refresh(successor(first), {}, by(thief))).body['error']).toBe('invalid_grant');
      if (later === 0) expect(successor(await refresh(successor(first), {}, by(own)))).toBe(successor(newest));
    }
    expect((await refresh(successor(newest), {}, by(own))).status).toBe(200);
    backToNow();
    await gatehouse.stop();
  });
});
