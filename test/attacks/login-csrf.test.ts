/** An attacker has a victim's browser sign in as the attacker, so that what the victim then enters is theirs. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, enterPassword, fieldValue } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('signing a victim in as the attacker', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let attacker: Person;
  let victims: Browser;
  let own: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    attacker = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());
  beforeEach(() => {
    victims = new Browser(gatehouse.issuer);
    own = new Browser(gatehouse.issuer);
  });
  const isSignedIn = async (as: Browser) => (await begin(rp, as, { prompt: 'none' })).url.searchParams.has('code');

  it.each([
    ['another site, without our cookies', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['a sibling of our host', { 'sec-fetch-site': 'same-site', origin: 'https://evil.localhost' }],
    ['an old browser that says nothing of where it comes from', {}],
  ])('by a form on %s is refused', async (_where, headers) => {
    const page = await begin(rp, own);
    const body = new URLSearchParams({
      email: attacker.email,
      password: attacker.password,
      _csrf: fieldValue(page, '_csrf'),
    });
    const answer = await victims.request(`${page.url.pathname}/sign-in`, { method: 'POST', body, headers });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await isSignedIn(victims)).toBe(false);
  });

  it('by the attacker’s interaction and hidden value, put into the victim’s own, is refused', async () => {
    const [theirs, mine] = [await begin(rp, victims), await begin(rp, own)];
    const body = new URLSearchParams({
      email: attacker.email,
      password: attacker.password,
      _csrf: fieldValue(mine, '_csrf'),
    });
    for (const path of [theirs.url.pathname, mine.url.pathname]) {
      const headers = { origin: gatehouse.issuer, 'sec-fetch-site': 'same-origin' };
      const answer = await victims.request(`${path}/sign-in`, { method: 'POST', body, headers });
      expect([400, 403]).toContain(answer.status);
    }
    expect(await isSignedIn(victims)).toBe(false);
  });

  it('by a link to the end of the attacker’s own sign-in, opened by the victim, signs nobody in', async () => {
    const page = await begin(rp, own);
    const body = new URLSearchParams({
      email: attacker.email,
      password: attacker.password,
      _csrf: fieldValue(page, '_csrf'),
    });
    const headers = { origin: gatehouse.issuer, 'sec-fetch-site': 'same-origin' };
    // Everything but the last step, which the victim's browser is led to.
    const signedIn = await own.request(`${page.url.pathname}/sign-in`, { method: 'POST', body, headers });
    const resume = /url=(\S+)$/.exec(signedIn.headers.get('refresh') ?? '')![1]!;
    const led = await victims.open(resume);
    expect(led.url.searchParams.get('code')).toBeNull();
    expect(await isSignedIn(victims)).toBe(false);
  });

  it('by a parameter of the request does not fill in or send anything', async () => {
    const page = await begin(rp, victims, { email: attacker.email, password: attacker.password, login: 'true' });
    expect(fieldValue(page, 'password')).toBe('');
    expect(await isSignedIn(victims)).toBe(false);
  });

  it('by the app’s address with the attacker’s code fails at the app, which has no such request', async () => {
    const { url } = await rp.request();
    const code = (await enterPassword(own, await own.open(url), attacker)).url;
    expect(code.searchParams.get('code')).toBeTruthy();
    const { checks } = await rp.request();
    await expect(rp.redeem(code, checks)).rejects.toThrow();
  });
});
