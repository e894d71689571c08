import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { userinfo } from '../support/endpoints.ts';
import { PASSWORD, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, authorize, begin, beginConsent, browserFor, enterPassword, heading } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const ANOTHER = 'quite another passphrase';

describe('a session that has ended stays ended', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => gatehouse.stop());

  async function signedIn() {
    const person = await gatehouse.person();
    const browser = browserFor(rp);
    await authorize(rp, person, {}, browser);
    return { person, browser };
  }

  /** Somebody with a copy of the cookie, who asks for a code again and again while `end` happens. */
  async function besieged(browser: Browser, end: () => Promise<unknown>): Promise<URL> {
    const { url } = await rp.request({ prompt: 'none', scope: 'openid offline_access profile email' });
    const cookie = await browser.jar.getCookieString(url.href);
    const ask = () => fetch(url, { headers: { cookie }, redirect: 'manual' });
    let going = true;
    const loops = Array.from({ length: 4 }, async () => {
      while (going) await ask();
    });
    for (let i = 0; i < 3; i += 1) await ask();
    await end();
    going = false;
    await Promise.all(loops);
    return new URL((await ask()).headers.get('location')!);
  }

  it('by a new password, whoever holds its cookie and keeps asking', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { person, browser } = await signedIn();
      const answer = await besieged(browser, () => gatehouse.access.setPassword(person.sub, ANOTHER));
      expect(answer.searchParams.get('error')).toBe('login_required');
    }
  });

  it('by log-out, whoever holds its cookie and keeps asking', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { browser } = await signedIn();
      const page = await browser.open('/session/end');
      const answer = await besieged(browser, () => browser.submit(page, { logout: 'yes' }));
      expect(answer.searchParams.get('error')).toBe('login_required');
    }
  });

  it('also when the last step of its sign-in was opened many times at once', async () => {
    const person = await gatehouse.person();
    const browser = browserFor(rp);
    const page = await begin(rp, browser, { prompt: 'login' });
    const form = page.html.querySelector('form')!;
    const sent = await browser.request(form.getAttribute('action')!, {
      method: 'POST',
      body: new URLSearchParams({
        _csrf: form.querySelector('[name=_csrf]')!.getAttribute('value')!,
        email: person.email,
        password: PASSWORD,
      }),
    });
    const resume = /url=(.*)$/.exec(sent.headers.get('refresh')!)![1]!;
    const cookie = await browser.jar.getCookieString(resume);
    const answers = await atOnce(5, () => fetch(resume, { headers: { cookie }, redirect: 'manual' }));
    const sessions = answers.flatMap((answer) =>
      answer.headers.getSetCookie().filter((line) => /gatehouse_session=[^;]/.test(line)),
    );
    await gatehouse.access.setPassword(person.sub, ANOTHER);
    for (const line of sessions) {
      const { url } = await rp.request({ prompt: 'none' });
      const answer = await fetch(url, { headers: { cookie: line.split(';')[0]! }, redirect: 'manual' });
      expect(new URL(answer.headers.get('location')!).searchParams.has('code')).toBe(false);
    }
  });
});

describe('a new password', () => {
  it('ends sign-ins that were begun with the old one and not gone on with', async () => {
    const gatehouse = await startGatehouse();
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const person = await gatehouse.person();
    const browser = new Browser(gatehouse.issuer);
    const consent = await beginConsent(rp, browser, person);
    expect(heading(consent)).toBe('Acme Notes wants access');
    await gatehouse.access.setPassword(person.sub, ANOTHER);
    const late = await browser.submit(consent, { decision: 'allow' });
    expect([late.status, heading(late)]).toEqual([400, 'This took too long']);
    await gatehouse.stop();
  });
});

describe('prompt=consent', () => {
  it('is asked also of who takes over at the consent page and had consented before', async () => {
    const gatehouse = await startGatehouse();
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const [first, second] = [await gatehouse.person(), await gatehouse.person()];
    const tokens = await rp.signIn(second);
    expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(200);
    const browser = new Browser(gatehouse.issuer);
    const page = await enterPassword(browser, await begin(rp, browser, { prompt: 'consent' }), first);
    const switched = await browser.submit(page, {}, '/switch');
    expect(heading(await enterPassword(browser, switched, second))).toBe('Acme Notes wants access');
    await gatehouse.stop();
  });
});
