import { afterEach, describe, expect, it } from 'vitest';
import { ACR } from '../../src/factors/levels.ts';
import { codeOf } from '../support/authenticator.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { enterCode, withApp } from '../support/factors.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, enterPassword, heading, linkNamed, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const PROVE = 'Confirm it is you';
const ENROL = 'Add a second step';
const arrived = (page: Page) => page.status === 0;
const csrfOf = (page: Page) => page.html.querySelector('input[name=_csrf]')!.getAttribute('value')!;

describe('whoever wants less asked of them', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let browser: Browser;
  let person: Person;
  let mail: MailServer | undefined;
  let stop: () => Promise<void>;
  afterEach(async () => {
    backToNow();
    await stop();
  });
  async function running(env: Record<string, string> = {}, withMail = false) {
    if (withMail) ({ gatehouse, mail, stop } = await startWithMail(env));
    else {
      gatehouse = await startGatehouse(env);
      stop = () => gatehouse.stop();
    }
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true, default_acr_values: [ACR[2]] }));
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
  }
  const open = async (parameters: Record<string, string> = {}, by = browser) =>
    by.open((await rp.request(parameters)).url);
  const signIn = async (parameters?: Record<string, string>) => enterPassword(browser, await open(parameters), person);
  /** A form post that no page offers. */
  const post = (page: Page, path: string, values: Record<string, string>) => {
    const uid = /interaction\/([^/?]+)/.exec(page.url.pathname)![1]!;
    return browser.open(`/interaction/${uid}${path}`, {
      method: 'POST',
      body: new URLSearchParams({ _csrf: csrfOf(page), ...values }),
    });
  };

  it.each([
    {},
    { acr_values: ACR[1] },
    { acr_values: '' },
    { acr_values: 'urn:theirs' },
    { claims: JSON.stringify({ id_token: { acr: { essential: true, value: ACR[1] } } }) },
    { claims: JSON.stringify({ id_token: { acr: null } }), acr_values: ACR[1] },
    { prompt: 'login' },
    { max_age: '100000' },
  ])('finds what the app is registered with in force, whatever the request says: %j', async (parameters) => {
    await running();
    await withApp(gatehouse, person);
    const page = await signIn(parameters);
    expect(heading(page)).toBe(PROVE);
  });

  it('cannot say "not now" to what is mandatory, nor add where something is to be proved', async () => {
    await running();
    const page = await signIn();
    expect(heading(page)).toBe(ENROL);
    expect(heading(await post(page, '/enrol/skip', {}))).toBe(ENROL);
    browser = new Browser(gatehouse.issuer);
    const { secret } = await withApp(gatehouse, person);
    const prove = await signIn();
    for (const path of ['/enrol', '/enrol/skip', '/recovery-codes', '/add-passkey/skip', '/enrol/passkey'])
      expect(heading(await post(prove, path, { code: await codeOf(secret, 30) }))).toBe(PROVE);
    const options = await post(prove, '/enrol/passkey/options', {});
    expect(options.headers.get('content-type')).toContain('html');
    expect(await gatehouse.factors.of(person.sub)).toMatchObject({ totp: true, passkeys: 0, recovery_codes_left: 10 });
  });

  it('cannot choose a way that the policy has not', async () => {
    await running({}, true);
    await withApp(gatehouse, person);
    const page = await signIn();
    expect(page.text).not.toContain('Get a code by mail');
    for (const [path, values] of [
      ['/second-factor/mail', {}],
      ['/second-factor', { way: 'second_mailed_code', code: '123456' }],
      ['/second-factor', { way: 'remembered_device', code: 'x' }],
      ['/second-factor', { way: 'password', code: person.password }],
      ['/second-factor', { way: '__proto__', code: 'x' }],
      ['/second-factor', { code: '123456' }],
      ['/second-factor/passkey', { credential: '{}' }],
    ] as [string, Record<string, string>][]) {
      const answer = await post(page, path, values);
      expect([heading(answer), arrived(answer)]).toEqual([PROVE, false]);
    }
  });

  it('gains nothing by the code of somebody else', async () => {
    await running();
    await withApp(gatehouse, person);
    const other = await gatehouse.person();
    const theirs = await withApp(gatehouse, other);
    const page = await signIn();
    passTime(31);
    expect((await browser.submit(page, { code: await codeOf(theirs.secret) })).status).toBe(400);
    const recovery = await browser.open(`${page.url.pathname}?way=recovery_code`);
    expect((await browser.submit(recovery, { code: theirs.codes[0]! })).status).toBe(400);
    expect(await gatehouse.factors.of(other.sub)).toMatchObject({ recovery_codes_left: 10 });
  });

  it('in two tabs as two people at once, adds up to neither of them', async () => {
    await running();
    const mine = await withApp(gatehouse, person);
    const other = await gatehouse.person();
    await withApp(gatehouse, other);
    const form = await open();
    const first = await enterPassword(browser, form, person);
    expect(heading(first)).toBe(PROVE);
    // The second tab signs in as somebody else in the same journey; the first one's code is then nobody's.
    const second = await enterPassword(browser, form, other);
    expect(heading(second)).toBe(PROVE);
    const answer = await enterCode(browser, first, mine.secret);
    expect([heading(answer), arrived(answer)]).toEqual([PROVE, false]);
  });

  it('signs in by mail: the same mailbox is no second factor, though a mailed code is allowed', async () => {
    await running({ GATEHOUSE_SIGN_IN_MAILED: 'true', GATEHOUSE_FACTORS_MAILED_CODE: 'true' }, true);
    await withApp(gatehouse, person);
    expect((await signIn()).text).toContain('Get a code by mail');
    browser = new Browser(gatehouse.issuer);
    const ask = await browser.open(linkNamed(await open(), 'Sign in by mail'));
    const sent = await browser.submit(ask, { email: person.email });
    const { code } = await mail!.waitFor(person.email, /Sign in/);
    const page = await browser.submit(sent, { code });
    expect([heading(page), page.text.includes('Get a code by mail')]).toEqual([PROVE, false]);
    expect(heading(await post(page, '/second-factor', { way: 'second_mailed_code', code }))).toBe(PROVE);
  });
});
