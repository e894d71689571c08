/** Answers of upstreams that are not what they seem: replayed, of another provider, in another browser, made up. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId, newSecret } from '../../src/kernel/ids.ts';
import { Browser } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, backToNow, begin, heading, linkNamed, passTime } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';
import { CLIENT, startOpenidServer } from '../support/upstream-servers.ts';
import type { OpenidServer } from '../support/upstream-servers.ts';
import { goTo, hasButton, startWithUpstreams } from '../support/upstream.ts';

describe('an attacker who meddles with the way back from an upstream', () => {
  let honest: OpenidServer;
  let evil: OpenidServer;
  let gatehouse: Running;
  let rp: RelyingParty;
  let victim: Browser;
  beforeAll(async () => {
    honest = await startOpenidServer({ sendsIss: true });
    evil = await startOpenidServer();
    gatehouse = await startWithUpstreams({
      honest: { type: 'oidc', ...CLIENT, issuer: honest.issuer },
      evil: { type: 'oidc', ...CLIENT, issuer: evil.issuer },
    });
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(async () => {
    await gatehouse.stop();
    await Promise.all([honest.stop(), evil.stop()]);
  });
  beforeEach(() => {
    victim = new Browser(gatehouse.issuer);
  });

  const claims = () => {
    const sub = newId();
    return { sub, email: `${sub}@example.com`, email_verified: true };
  };
  const accountOf = ({ email }: { email: string }) => gatehouse.accounts.findByEmail(email);
  const OVER = 'This sign-in is over';
  const ELSEWHERE = 'Go on where you began';

  it('sends an answer a second time: it counts once', async () => {
    const { away } = await goTo(rp, victim, 'honest');
    const callback = honest.approve(away, claims());
    expect(heading(await victim.open(callback))).toContain('wants access');
    const again = await victim.open(callback);
    expect([again.status, heading(again)]).toEqual([400, OVER]);
    expect(honest.redeemed.filter((form) => form.get('code') === callback.searchParams.get('code'))).toHaveLength(1);
  });

  it('sends it 20 times at once: it counts once', async () => {
    const { away } = await goTo(rp, victim, 'honest');
    const callback = honest.approve(away, claims());
    const statuses = (await atOnce(20, () => victim.request(callback))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 303)).toHaveLength(1);
    expect(statuses.filter((status) => status === 400)).toHaveLength(19);
    expect(honest.redeemed.filter((form) => form.get('code') === callback.searchParams.get('code'))).toHaveLength(1);
  });

  it('lets a victim’s browser finish a sign-in of their own (login CSRF): refused, and it stays theirs', async () => {
    const attacker = new Browser(gatehouse.issuer);
    const mallory = claims();
    const { away } = await goTo(rp, attacker, 'honest');
    const callback = honest.approve(away, mallory);
    const without = await victim.open(callback);
    expect([without.status, heading(without), linkNamed(without, 'Start again')]).toEqual([400, ELSEWHERE, '']);
    await goTo(rp, victim, 'honest');
    expect(heading(await victim.open(callback))).toBe(ELSEWHERE);
    expect(await accountOf(mallory)).toBeUndefined();
    expect(heading(await attacker.open(callback))).toContain('wants access');
  });

  it('brings the answer of one provider to the callback of another (mix-up): refused', async () => {
    const { away } = await goTo(rp, victim, 'honest');
    const ada = claims();
    const callback = honest.approve(away, ada);
    const crossed = new URL(callback);
    crossed.pathname = '/federation/evil/callback';
    const page = await victim.open(crossed);
    expect([page.status, heading(page)]).toEqual([400, OVER]);
    expect(evil.redeemed).toHaveLength(0);
    expect(await accountOf(ada)).toBeUndefined();
  });

  it('answers in the name of another issuer (RFC 9207): refused before the code goes anywhere', async () => {
    const { away } = await goTo(rp, victim, 'honest');
    const ada = claims();
    const callback = honest.approve(away, ada);
    callback.searchParams.set('iss', evil.issuer);
    const page = await victim.open(callback);
    expect(page.status).toBe(502);
    expect(honest.redeemed.some((form) => form.get('code') === callback.searchParams.get('code'))).toBe(false);
    expect(await accountOf(ada)).toBeUndefined();
  });

  it('leaves out the issuer of a provider that always names itself: refused', async () => {
    const { away } = await goTo(rp, victim, 'honest');
    const callback = honest.approve(away, claims());
    callback.searchParams.delete('iss');
    expect((await victim.open(callback)).status).toBe(502);
  });

  it('puts their own code into the answer to the victim (code injection): refused', async () => {
    const mallory = claims();
    const { away: theirs } = await goTo(rp, new Browser(gatehouse.issuer), 'honest');
    const stolen = honest.approve(theirs, mallory).searchParams.get('code')!;
    const { away } = await goTo(rp, victim, 'honest');
    const callback = honest.approve(away, claims());
    callback.searchParams.set('code', stolen);
    expect((await victim.open(callback)).status).toBe(502);
    expect(await accountOf(mallory)).toBeUndefined();
  });

  it.each([
    ['no state', (callback: URL) => callback.searchParams.delete('state')],
    ['a made-up state', (callback: URL) => callback.searchParams.set('state', newSecret())],
    ['a state that is far too long', (callback: URL) => callback.searchParams.set('state', 'x'.repeat(5000))],
    ['two states', (callback: URL) => callback.searchParams.append('state', 'x')],
    ['two codes', (callback: URL) => callback.searchParams.append('code', 'x')],
    ['no code', (callback: URL) => callback.searchParams.delete('code')],
  ])('sends an answer with %s: refused', async (_what, change) => {
    const { away } = await goTo(rp, victim, 'honest');
    const ada = claims();
    const callback = honest.approve(away, ada);
    change(callback);
    expect((await victim.open(callback)).status).toBeGreaterThanOrEqual(400);
    expect(await accountOf(ada)).toBeUndefined();
  });

  it('comes too late: refused, with a way to start again', async () => {
    const { away } = await goTo(rp, victim, 'honest');
    const callback = honest.approve(away, claims());
    passTime(1801);
    expect(heading(await victim.open(callback))).toBe(OVER);
    backToNow();
  });

  it('presses a button from another site, or without a token: nobody is sent anywhere', async () => {
    const page = await begin(rp, victim);
    const action = new URL(`${page.url.pathname}/upstream/honest`, page.url);
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, {}]) {
      const response = await victim.request(action, { method: 'POST', body: new URLSearchParams({}), headers });
      expect(response.status).toBe(403);
    }
    expect((await victim.request(action)).status).toBe(404);
  });

  it('asks for a provider that the app does not allow, or that is none: there is no such way', async () => {
    const only = await relyingParty(gatehouse, await gatehouse.app({ identity_providers: ['honest'] }));
    const page = await begin(only, victim);
    expect([hasButton(page, 'honest'), hasButton(page, 'evil')]).toEqual([true, false]);
    const form = page.html
      .querySelectorAll('form')
      .find((one) => one.getAttribute('action')?.endsWith('/upstream/honest'));
    for (const name of ['evil', 'nobody', '__proto__', '..%2f..']) {
      form!.setAttribute('action', `${page.url.pathname}/upstream/${name}`);
      expect((await victim.submit(page, {}, `/upstream/${name}`)).status).toBe(404);
    }
    expect((await victim.open('/federation/nobody/callback?state=x&code=y')).status).toBe(404);
  });

  it('finds no client secret, code, verifier or token of an upstream in the page', async () => {
    const { away } = await goTo(rp, victim, 'honest');
    const page = await victim.open(honest.approve(away, claims()));
    for (const secret of [CLIENT.client_secret, away.searchParams.get('state')!, away.searchParams.get('nonce')!])
      expect(page.text).not.toContain(secret);
  });
});
