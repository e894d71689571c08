import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ACR } from '../../src/factors/levels.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { enterCode, withApp } from '../support/factors.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, enterPassword, heading, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const PROVE = 'Confirm it is you';
const STEP_UP = { claims: JSON.stringify({ id_token: { acr: { essential: true, value: ACR[2] } } }) };
const arrived = (page: Page) => page.status === 0;

describe('whoever sits at a session of one factor and wants past the second', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let browser: Browser;
  let person: Person;
  let secret: string;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
  });
  afterAll(() => gatehouse.stop());
  afterEach(() => backToNow());
  beforeEach(async () => {
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
    expect(arrived(await enterPassword(browser, (await open()).page, person))).toBe(true);
    ({ secret } = await withApp(gatehouse, person));
  });
  const open = async (parameters: Record<string, string> = {}) => {
    const { url, checks } = await rp.request(parameters);
    return { page: await browser.open(url), checks };
  };
  const uidOf = (page: Page) => /interaction\/([^/?]+)/.exec(page.url.pathname)![1]!;

  it('comes to the same page again by going back, by the start of the journey and by every other address of it', async () => {
    const { page } = await open(STEP_UP);
    expect(heading(page)).toBe(PROVE);
    for (const path of ['', '/second-factor', '/enrol', '/check-mail/continue', '/upstream', '/link', '/add-passkey'])
      expect(heading(await browser.open(`/interaction/${uidOf(page)}${path}`))).toBe(PROVE);
  });

  it('gets no code by resuming the authorization without it', async () => {
    const { page } = await open(STEP_UP);
    const resumed = await browser.open(`/auth/${uidOf(page)}`);
    expect(arrived(resumed) && resumed.url.searchParams.has('code')).toBe(false);
  });

  it('gets none by a request without the demand in another tab: the first one still asks', async () => {
    const { page } = await open(STEP_UP);
    expect(arrived((await open()).page)).toBe(true);
    expect(heading(await browser.open(page.url))).toBe(PROVE);
    expect(heading((await open(STEP_UP)).page)).toBe(PROVE);
  });

  it('gets none by an old interaction of a lesser demand: it answers its own request alone', async () => {
    const old = await open({ prompt: 'login' });
    const { page } = await open(STEP_UP);
    expect(heading(page)).toBe(PROVE);
    // The person has an app by now: the old one asks for it too.
    expect(heading(await enterPassword(browser, old.page, person))).not.toBe('Acme Notes wants access');
    expect(heading((await open(STEP_UP)).page)).toBe(PROVE);
  });

  it('cannot use again what was proved in another journey that did not end', async () => {
    const first = await open(STEP_UP);
    await enterCode(browser, first.page, secret);
    const fresh = new Browser(gatehouse.issuer);
    const page = await enterPassword(fresh, await fresh.open((await rp.request(STEP_UP)).url), person);
    expect(heading(page)).toBe(PROVE);
  });

  it('keeps nothing of it after the password was changed meanwhile', async () => {
    const { page } = await open(STEP_UP);
    await gatehouse.access.setPassword(person.sub, 'a whole new pass phrase');
    const answer = await enterCode(browser, page, secret);
    expect(arrived(answer) && answer.url.searchParams.has('code')).toBe(false);
  });

  it('keeps nothing of it once the account is suspended', async () => {
    const { page } = await open(STEP_UP);
    await gatehouse.access.suspend(person.sub);
    const answer = await enterCode(browser, page, secret);
    expect(arrived(answer) && answer.url.searchParams.has('code')).toBe(false);
  });

  it('adds no app to an account by a session that was left open', async () => {
    await gatehouse.factors.erase(person.sub);
    passTime(1800);
    const { page } = await open(STEP_UP);
    expect(page.html.querySelector('input[name=password]')).not.toBeNull();
    expect(heading(await browser.open(`/interaction/${uidOf(page)}/enrol`))).not.toBe('Add a second step');
    expect(heading(await enterPassword(browser, page, person))).toBe('Add a second step');
  });
});
