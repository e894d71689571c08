/** Filling the store and other people's mailboxes: what anybody may ask for without an account. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, backToNow, begin, fieldValue, passTime } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const MOST_BEGUN = 8;
const MOST_SIGN_UPS = 5;

describe('whoever floods', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  beforeAll(async () => {
    gatehouse = await startGatehouse({
      GATEHOUSE_TRUSTED_PROXIES: 'loopback',
      GATEHOUSE_LIMITS_AUTHORIZATION_ADDRESS: String(MOST_BEGUN),
      GATEHOUSE_LIMITS_SIGN_UP_ADDRESS: String(MOST_SIGN_UPS),
    });
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
  });
  afterEach(backToNow);
  afterAll(() => gatehouse.stop());

  let next = 0;
  function visitor(address = `192.0.2.${(next += 1)}`) {
    const browser = new Browser(gatehouse.issuer);
    browser.headers['x-forwarded-for'] = address;
    return browser;
  }

  describe('with sign-ins that are begun and left', () => {
    it('is stopped at the limit, at the same instant too, and others go on', async () => {
      const address = '198.51.100.1';
      const pages = await atOnce(30, () => begin(rp, visitor(address)));
      expect(pages.filter(({ status }) => status === 200)).toHaveLength(MOST_BEGUN);
      const refused = pages.filter(({ status }) => status === 429);
      expect(refused).toHaveLength(30 - MOST_BEGUN);
      expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused[0]!.html.querySelector('h1')?.text).toBe('That was too often');
      expect((await begin(rp, visitor())).status).toBe(200);
      passTime(3601);
      expect((await begin(rp, visitor(address))).status).toBe(200);
    });

    it('is told so as JSON where a program asks', async () => {
      const address = '198.51.100.2';
      await atOnce(MOST_BEGUN, () => begin(rp, visitor(address)));
      const browser = visitor(address);
      browser.headers['accept'] = 'application/json';
      const answer = await browser.request((await rp.request()).url);
      expect(answer.status).toBe(429);
      expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' });
    });

    it('is not anybody who finishes them: an office behind one address signs in all day', async () => {
      const address = '198.51.100.3';
      const person = await gatehouse.person();
      for (let index = 0; index < MOST_BEGUN + 3; index += 1) {
        const tokens = await rp.signIn(person, {}, visitor(address));
        expect(tokens.claims()?.sub).toBe(person.sub);
      }
    });
  });

  it('with sign-ups is stopped on the form, with what was typed kept', async () => {
    const browser = visitor('198.51.100.4');
    const page = await begin(rp, browser);
    const form = await browser.open(`${page.url.pathname}/sign-up`);
    const fill = (index: number) =>
      browser.submit(form, { name: 'Mallory', email: `m${index}@example.com`, password: 'tr0ubadour and staple' });
    const answers = await atOnce(MOST_SIGN_UPS + 3, fill);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(3);
    expect(alertText(refused[0]!)).toMatch(/^That was asked for too often\. Wait \d+ minutes and try again\.$/);
    expect(fieldValue(refused[0]!, 'name')).toBe('Mallory');
    expect(fieldValue(refused[0]!, 'email')).toMatch(/@example\.com$/);
  });

  it('with over-long requests has little of them kept', async () => {
    const browser = visitor();
    const long = await begin(rp, browser, { login_hint: `${'a'.repeat(3000)}@example.com` });
    expect(long.status).toBe(200);
    expect(fieldValue(long, 'email')).toBe('');
    const kept = await browser.request(`${long.url.pathname}/restart`);
    expect(kept.headers.get('location')!.length).toBeLessThan(1000);
    expect((await begin(rp, browser, { state: 's'.repeat(9000) })).status).toBe(413);
    for (const path of ['/auth/', '/AUTH'])
      expect((await browser.request(`${path}?state=${'s'.repeat(9000)}`)).status, path).toBe(413);
  });
});
