import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, begin, beginConsent, enterPassword, heading, linkNamed, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const EXPIRED = 'This took too long';
const DONE = 'This sign-in is done';

describe('every dead end has a door', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => gatehouse.stop());
  beforeEach(async () => {
    person = await gatehouse.person();
    browser = new Browser(gatehouse.issuer);
  });
  afterEach(backToNow);

  const allow = (page: Page) => browser.submit(page, { decision: 'allow' });
  const startAgain = (page: Page) => browser.open(linkNamed(page, 'Start again'));
  const arrived = (page: Page) => page.url.searchParams.has('code');

  it('an interaction opened in two tabs ends in the first, and the second says that it is done', async () => {
    const page = await begin(rp, browser);
    const second = await browser.open(page.url);
    expect(arrived(await allow(await enterPassword(browser, page, person)))).toBe(true);
    const late = await enterPassword(browser, second, person);
    expect([late.status, heading(late)]).toEqual([400, DONE]);
    expect(linkNamed(late, 'Go to Acme Notes')).toBe('https://app.example/');
  });

  it('the same app in two tabs, each with a sign-in of its own, both arrive', async () => {
    const one = await begin(rp, browser);
    const two = await begin(rp, browser);
    expect(arrived(await allow(await enterPassword(browser, one, person)))).toBe(true);
    expect(arrived(await enterPassword(browser, two, person))).toBe(true);
  });

  it('two consent pages in two tabs both arrive', async () => {
    const one = await beginConsent(rp, browser, person);
    const two = await begin(rp, browser);
    expect(arrived(await allow(one))).toBe(true);
    expect(arrived(await allow(two))).toBe(true);
  });

  describe('two people who sign in in two tabs of one browser', () => {
    const inTwoTabs = async () => {
      const [one, two] = [await begin(rp, browser), await begin(rp, browser)];
      await allow(await enterPassword(browser, one, person));
      return enterPassword(browser, two, await gatehouse.person());
    };

    it('both get on', async () => {
      const late = await inTwoTabs();
      const next = late.text.includes('/session/end/confirm') ? await browser.submit(late) : late;
      expect(heading(next)).toBe('Acme Notes wants access');
    });

    it('never see a page that is not ours', async () => {
      expect(heading(await inTwoTabs())).toBe('Acme Notes wants access');
    });
  });

  it('a consent page overtaken by another account says so and begins again', async () => {
    const consent = await beginConsent(rp, browser, person);
    await enterPassword(browser, await begin(rp, browser, { prompt: 'login' }), await gatehouse.person());
    const late = await allow(consent);
    expect(late.status).toBe(400);
    expect(heading(await startAgain(late))).toBe('Acme Notes wants access');
  });

  it('going back after success shows that it is done', async () => {
    const page = await begin(rp, browser);
    await allow(await enterPassword(browser, page, person));
    const back = await browser.open(page.url);
    expect(heading(back)).toBe(DONE);
    expect(linkNamed(back, 'Start again')).toBe('');
  });

  it('going back to the first page after consent shows that it is done', async () => {
    const page = await beginConsent(rp, browser, person);
    await allow(page);
    expect(heading(await browser.open(page.url))).toBe(DONE);
  });

  it('going back to the last step of the provider shows that it is done', async () => {
    const page = await begin(rp, browser);
    await allow(await enterPassword(browser, page, person));
    expect(heading(await browser.open(page.url.href.replace('/interaction/', '/auth/')))).toBe(DONE);
  });

  it('going back after a cancelled sign-in lets the person begin again', async () => {
    const page = await begin(rp, browser);
    await browser.submit(page, {}, '/cancel');
    expect(heading(await startAgain(await browser.open(page.url)))).toBe('Sign in to Acme Notes');
  });

  it('an expired sign-in begins again and arrives', async () => {
    const page = await begin(rp, browser, { state: 'kept' });
    passTime(3601);
    const late = await enterPassword(browser, page, person);
    expect([late.status, heading(late)]).toEqual([400, EXPIRED]);
    const done = await allow(await enterPassword(browser, await startAgain(late), person));
    expect(done.url.searchParams.get('state')).toBe('kept');
    expect(arrived(done)).toBe(true);
  });

  it('an expired consent begins again', async () => {
    const page = await beginConsent(rp, browser, person);
    passTime(3601);
    expect(heading(await startAgain(await allow(page)))).toBe('Acme Notes wants access');
  });

  it('a sign-in left open for two days still has a page with a way out', async () => {
    const page = await begin(rp, browser);
    passTime(2 * 86_400);
    const late = await enterPassword(browser, page, person);
    expect([late.status, heading(late)]).toEqual([400, EXPIRED]);
    expect(late.text).toContain('Go back to the app you came from');
  });

  it('the link to begin again, pressed two days later, still leads to a page with a way out', async () => {
    const page = await begin(rp, browser);
    passTime(3601);
    const late = await browser.open(page.url);
    passTime(2 * 86_400);
    expect(heading(await startAgain(late))).toBe(EXPIRED);
  });

  it('a browser without cookies is told so', async () => {
    const { url } = await rp.request();
    const first = await fetch(url, { redirect: 'manual', headers: { accept: 'text/html' } });
    const page = await fetch(new URL(first.headers.get('location')!, url), { headers: { accept: 'text/html' } });
    expect(page.status).toBe(400);
    expect(await page.text()).toContain('Allow cookies for this site');
  });

  it('a browser that keeps our form cookie but not that of the sign-in gets a door too', async () => {
    const page = await begin(rp, browser);
    const other = new Browser(gatehouse.issuer);
    await other.open('/');
    const stray = await other.open(page.url);
    expect(stray.status).toBe(400);
    expect(linkNamed(stray, 'Go to Acme Notes')).toBe('https://app.example/');
  });

  it('a link to somebody else’s sign-in shows nothing of it, and leads to the app', async () => {
    const page = await beginConsent(rp, browser, person);
    const stranger = new Browser(gatehouse.issuer);
    const stray = await stranger.open(page.url);
    expect(stray.text).not.toContain(person.email);
    expect(linkNamed(stray, 'Start again')).toBe('');
    expect(linkNamed(stray, 'Go to Acme Notes')).toBe('https://app.example/');
  });

  it('a sign-in that never was has a page', async () => {
    const page = await browser.open('/interaction/never-was');
    expect(page.status).toBe(400);
    expect(page.text).toContain('Go back to the app you came from');
  });

  it.each(['/interaction', '/interaction/', '/interaction/x/nowhere', '/nowhere', '/auth/never-was'])(
    'the address %s has a page',
    async (path) => {
      const page = await browser.open(path);
      expect([400, 404]).toContain(page.status);
      expect(heading(page)).not.toBe('');
    },
  );

  it('a form pressed twice arrives all the same', async () => {
    const page = await begin(rp, browser);
    const form = page.html.querySelector('form')!;
    const press = () =>
      browser.request(form.getAttribute('action')!, {
        method: 'POST',
        body: new URLSearchParams({
          _csrf: form.querySelector('[name=_csrf]')!.getAttribute('value')!,
          email: person.email,
          password: person.password,
        }),
      });
    const [, second] = await Promise.all([press(), press()]);
    const next = await browser.open(/url=(.*)$/.exec(second.headers.get('refresh')!)![1]!);
    expect(heading(next)).toBe('Acme Notes wants access');
  });

  it('consent pressed twice gives one code, or one code and a page', async () => {
    const page = await beginConsent(rp, browser, person);
    const form = page.html.querySelectorAll('form')[1]!;
    const press = () =>
      browser.request(form.getAttribute('action')!, {
        method: 'POST',
        body: new URLSearchParams({
          _csrf: form.querySelector('[name=_csrf]')!.getAttribute('value')!,
          decision: 'allow',
        }),
      });
    const [one, two] = await Promise.all([press(), press()]);
    const next = (response: Response) => browser.open(/url=(.*)$/.exec(response.headers.get('refresh')!)![1]!);
    expect(arrived(await next(one))).toBe(true);
    expect(heading(await next(two))).toBe(DONE);
  });

  it('an app that begins its own sign-ins is where "Go to" leads', async () => {
    const own = await relyingParty(
      gatehouse,
      await gatehouse.app({ first_party: true, initiate_login_uri: 'https://app.example/login' }),
    );
    const page = await begin(own, browser);
    await enterPassword(browser, page, person);
    expect(linkNamed(await browser.open(page.url), 'Go to Acme Notes')).toBe(
      `https://app.example/login?iss=${encodeURIComponent(gatehouse.issuer)}`,
    );
  });
});
