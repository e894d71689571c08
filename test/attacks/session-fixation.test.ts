/** An attacker gives a browser cookies of their own making, hoping that what it signs in to is theirs too. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, enterPassword, heading } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const SESSION = 'gatehouse_session';

describe('a session', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let victim: Person;
  let attacker: Person;
  let browser: Browser;
  let other: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    [victim, attacker] = [await gatehouse.person(), await gatehouse.person()];
  });
  afterAll(() => gatehouse.stop());
  beforeEach(() => {
    browser = new Browser(gatehouse.issuer);
    other = new Browser(gatehouse.issuer);
  });

  const cookie = async (of: Browser, name = SESSION) =>
    (await of.jar.getCookies(gatehouse.issuer)).find(({ key }) => key === name)?.value;
  /** All cookies at an address, as another program would hold them. */
  const steal = async (from: Browser, to: Browser, url: string) => {
    for (const one of await from.jar.getCookies(url)) await to.jar.setCookie(one, url);
  };
  const isSignedIn = async (as: Browser) => (await begin(rp, as, { prompt: 'none' })).url.searchParams.has('code');

  it('has another identifier after the sign-in, and the one from before opens nothing', async () => {
    const page = await begin(rp, browser);
    await steal(browser, other, gatehouse.issuer);
    const before = await cookie(browser);
    await enterPassword(browser, page, victim);
    expect(await cookie(browser)).toBeDefined();
    expect(await cookie(browser)).not.toBe(before);
    expect(await isSignedIn(browser)).toBe(true);
    expect(await isSignedIn(other)).toBe(false);
  });

  it('of an attacker does not become the victim’s when the victim signs in over it', async () => {
    await enterPassword(other, await begin(rp, other), attacker);
    await steal(other, browser, gatehouse.issuer);
    await enterPassword(browser, await begin(rp, browser, { prompt: 'login' }), victim);
    expect(await isSignedIn(browser)).toBe(true);
    // The attacker's copy was ended with the change of person; it never shows the victim.
    expect(await isSignedIn(other)).toBe(false);
  });

  it('of an attacker’s choice is not taken up', async () => {
    await browser.jar.setCookie(`${SESSION}=chosen-by-the-attacker`, gatehouse.issuer);
    await browser.jar.setCookie(`${SESSION}.sig=aaaaaaaaaaaaaaaaaaaaaaaaaaa`, gatehouse.issuer);
    await enterPassword(browser, await begin(rp, browser), victim);
    expect(await cookie(browser)).not.toBe('chosen-by-the-attacker');
    expect(await isSignedIn(browser)).toBe(true);
  });

  it('is not got by finishing, with the attacker’s cookies, a sign-in that the victim began', async () => {
    const page = await begin(rp, browser);
    expect(heading(await other.open(page.url))).not.toContain('Sign in');
    await enterPassword(browser, page, victim);
    const resumed = await other.open(page.url.href.replace('/interaction/', '/auth/'));
    expect(resumed.url.searchParams.get('code')).toBeNull();
    expect(await isSignedIn(other)).toBe(false);
  });
});
