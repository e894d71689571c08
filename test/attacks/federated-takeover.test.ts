/** Taking over an account through an upstream that says the right e-mail. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { PASSWORD } from '../support/gatehouse.ts';
import { alertText, begin, enterPassword, heading } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';
import { CLIENT, startOpenidServer } from '../support/upstream-servers.ts';
import type { OpenidServer } from '../support/upstream-servers.ts';
import { comeBackTo, goTo, hasButton, startWithUpstreams } from '../support/upstream.ts';

describe('an attacker with an upstream identity that has the victim’s e-mail', () => {
  let upstream: OpenidServer;
  let gatehouse: Running;
  let rp: RelyingParty;
  let attacker: Browser;
  beforeAll(async () => {
    upstream = await startOpenidServer();
    const settings = { type: 'oidc', ...CLIENT, issuer: upstream.issuer };
    gatehouse = await startWithUpstreams({
      acme: settings,
      other: settings,
      wary: { ...settings, trust_email: false },
    });
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(async () => {
    await gatehouse.stop();
    await upstream.stop();
  });
  beforeEach(() => {
    attacker = new Browser(gatehouse.issuer);
  });

  async function signIn(claims: Record<string, unknown>, provider = 'acme', browser = attacker): Promise<Page> {
    const { away } = await goTo(rp, browser, provider);
    return browser.open(upstream.approve(away, { sub: newId(), email_verified: true, ...claims }));
  }
  const joined = async (sub: string) => (await gatehouse.linking.identitiesOf(sub)).length;

  it('that is verified gets no further than the password of the account', async () => {
    const victim = await gatehouse.person();
    const page = await signIn({ email: victim.email });
    expect(heading(page)).toBe('Connect Acme to your account');
    expect((await attacker.submit(page, { password: 'a guess of theirs' })).status).toBe(401);
    expect((await attacker.submit(page, { password: '' })).status).toBe(400);
    const other = await gatehouse.person({ password: 'their very own secret' });
    expect((await attacker.submit(page, { password: other.password })).status).toBe(401);
    expect(await joined(victim.sub)).toBe(0);
    expect(heading(await attacker.open(page.url))).toBe('Connect Acme to your account');
  });

  it('spelt otherwise finds the same account, and the same password in the way', async () => {
    const victim = await gatehouse.person();
    for (const email of [victim.email.toUpperCase(), ` ${victim.email} `])
      expect(heading(await signIn({ email }, 'acme', new Browser(gatehouse.issuer)))).toContain('Connect');
    expect(await joined(victim.sub)).toBe(0);
  });

  it('that is not verified learns nothing: the answer is that for an e-mail nobody has', async () => {
    const victim = await gatehouse.person();
    const shown = async (email: string, provider: string, email_verified: unknown) => {
      const browser = new Browser(gatehouse.issuer);
      const page = await signIn({ email, email_verified }, provider, browser);
      return [page.status, heading(page), alertText(page)];
    };
    for (const email_verified of [false, undefined, 'true', 1]) {
      const known = await shown(victim.email, 'acme', email_verified);
      expect(known).toEqual(await shown(`${newId()}@example.com`, 'acme', email_verified));
      expect(known[0]).toBe(403);
    }
    // Nor does the word of a provider that the operator does not believe.
    expect(await shown(victim.email, 'wary', true)).toEqual(await shown(`${newId()}@example.com`, 'wary', true));
    expect(await joined(victim.sub)).toBe(0);
  });

  it('made the account beforehand with a password of theirs: the victim’s identity does not join it (classic-federated merge)', async () => {
    const planted = await gatehouse.person({ email_verified: false });
    const victim = new Browser(gatehouse.issuer);
    const page = await signIn({ email: planted.email }, 'acme', victim);
    expect([page.status, alertText(page)]).toEqual([
      409,
      expect.stringContaining('nobody has confirmed yet') as string,
    ]);
    await enterPassword(victim, page, planted);
    expect(await joined(planted.sub)).toBe(0);
  });

  it('waits on the joining page until the account’s e-mail is somebody else’s: nothing is joined', async () => {
    const victim = await gatehouse.person();
    const page = await signIn({ email: victim.email });
    await gatehouse.accounts.changeEmail(
      victim.sub,
      { from: victim.email, to: `${newId()}@example.com` },
      { verified: true, keepPassword: true },
    );
    await attacker.submit(page, { password: PASSWORD });
    expect(await joined(victim.sub)).toBe(0);
  });

  it('signs in to an account of their own meanwhile: that one is not joined either', async () => {
    const victim = await gatehouse.person();
    const own = await gatehouse.person();
    const page = await signIn({ email: victim.email });
    const form = await attacker.open(`${page.url.pathname.replace(/\/[^/]*$/, '')}/sign-in`);
    expect(heading(await enterPassword(attacker, form, own))).toContain('wants access');
    expect([await joined(victim.sub), await joined(own.sub)]).toEqual([0, 0]);
  });

  it('of a suspended account is told so, and joins nothing', async () => {
    const victim = await gatehouse.person();
    await gatehouse.access.suspend(victim.sub);
    expect((await signIn({ email: victim.email })).status).toBe(403);
    expect(await joined(victim.sub)).toBe(0);
  });

  it('whose owner cancels leaves everything as it was', async () => {
    const victim = await gatehouse.person();
    const page = await signIn({ email: victim.email });
    const back = await attacker.submit(page, {}, '/link/cancel');
    expect(heading(back)).toContain('Sign in to');
    await enterPassword(attacker, back, victim);
    expect(await joined(victim.sub)).toBe(0);
  });

  it('does not reach a subject of the same name at another issuer or provider', async () => {
    const [sub, email] = [newId(), `${newId()}@example.com`];
    const { away, checks } = await goTo(rp, attacker, 'acme');
    const first = await comeBackTo(rp, attacker, upstream.approve(away, { sub, email, email_verified: true }), checks);
    const elsewhere = await signIn({ sub, email: `x${email}` }, 'other', new Browser(gatehouse.issuer));
    expect(elsewhere.text).toContain('wants access');
    expect((await gatehouse.accounts.findByEmail(`x${email}`))?.id).not.toBe(first.sub);
  });

  it('finds no resurrected account after an admin deleted it', async () => {
    const [sub, email] = [newId(), `${newId()}@example.com`];
    const { away, checks } = await goTo(rp, attacker, 'acme');
    const first = await comeBackTo(rp, attacker, upstream.approve(away, { sub, email, email_verified: true }), checks);
    await gatehouse.access.remove(first.sub);
    await signIn({ sub, email }, 'acme', new Browser(gatehouse.issuer));
    expect((await gatehouse.accounts.findByEmail(email))?.id).not.toBe(first.sub);
  });

  it('of an account without a password must prove it by the identity that it has', async () => {
    const email = `${newId()}@example.com`;
    const [known, fresh] = [newId(), newId()];
    const { away, checks } = await goTo(rp, attacker, 'acme');
    const first = await comeBackTo(
      rp,
      attacker,
      upstream.approve(away, { sub: known, email, email_verified: true }),
      checks,
    );
    const owner = new Browser(gatehouse.issuer);
    const page = await signIn({ sub: fresh, email }, 'other', owner);
    expect(heading(page)).toBe('Connect Other to your account');
    expect(page.html.querySelector('input[name=password]')).toBeNull();
    expect([hasButton(page, 'acme'), hasButton(page, 'other'), hasButton(page, 'wary')]).toEqual([true, false, false]);
    const again = await owner.submit(page, {}, '/upstream/acme');
    const done = await owner.open(upstream.approve(again.url, { sub: known, email, email_verified: true }));
    // To the app at once: the account has allowed it before.
    expect(done.url.searchParams.get('code')).toBeTypeOf('string');
    const names = (await gatehouse.linking.identitiesOf(first.sub)).map(({ provider }) => provider);
    expect(names.toSorted()).toEqual(['acme', 'other']);
  });

  it('guesses at the joining page as little as at the sign-in page: a wrong guess changes nothing there', async () => {
    const victim = await gatehouse.person();
    const page = await signIn({ email: victim.email });
    for (let guess = 0; guess < 3; guess += 1) await attacker.submit(page, { password: `guess number ${guess}` });
    expect(heading(await begin(rp, new Browser(gatehouse.issuer)))).toContain('Sign in to');
    expect(await joined(victim.sub)).toBe(0);
  });
});
