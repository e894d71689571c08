import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../support/authenticator.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { withApp } from '../support/factors.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, backToNow, begin, enterPassword, linkNamed, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

/** Wrong codes that one address may try for one account: the default. */
const TRIES = 10;

describe('whoever knows the password and guesses the second factor', () => {
  let gatehouse: Running;
  let browser: Browser;
  let person: Person;
  let secret: string;
  let codes: string[];
  let page: Page;
  beforeEach(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
    ({ secret, codes } = await withApp(gatehouse, person));
    page = await challenge();
  });
  afterEach(async () => {
    backToNow();
    await gatehouse.stop();
  });

  async function challenge(): Promise<Page> {
    browser = new Browser(gatehouse.issuer);
    const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    return enterPassword(browser, await begin(rp, browser), person);
  }
  /** Codes that are not the ones of now. */
  async function wrongCodes(count: number): Promise<string[]> {
    const right = await Promise.all([-60, -30, 0, 30, 60, 90].map((off) => codeOf(secret, off)));
    return Array.from({ length: count + 10 }, (_, index) => String(100_000 + index))
      .filter((code) => !right.includes(code))
      .slice(0, count);
  }
  const statuses = (answers: Page[], status: number) => answers.filter((one) => one.status === status).length;

  it('has no more tries with 100 codes at once than one after the other', async () => {
    const guesses = await wrongCodes(100);
    const at_once = await atOnce(100, (index) => browser.submit(page, { code: guesses[index]! }));
    expect([statuses(at_once, 400), statuses(at_once, 429)]).toEqual([TRIES, 100 - TRIES]);
    // Locked: the right code is not even looked at.
    passTime(31);
    const right = await browser.submit(page, { code: await codeOf(secret) });
    expect(right.status).toBe(429);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('has as many one after the other', async () => {
    const guesses = await wrongCodes(TRIES + 1);
    const answers: Page[] = [];
    for (const code of guesses) answers.push(await browser.submit(page, { code }));
    expect([statuses(answers, 400), statuses(answers, 429)]).toEqual([TRIES, 1]);
  });

  it('gets no more tries by another sign-in, another way, or both at once', async () => {
    const guesses = await wrongCodes(60);
    const other = await browser.open(linkNamed(page, 'Use a recovery code'));
    const [first, second] = [browser, page];
    const again = await challenge();
    const answers = await atOnce(60, (index) => {
      if (index % 3 === 0) return first.submit(second, { code: guesses[index]! });
      if (index % 3 === 1) return first.submit(other, { code: 'abcd-efgh-jk' + String(index).padStart(2, '0') });
      return browser.submit(again, { code: guesses[index]! });
    });
    expect([statuses(answers, 400), statuses(answers, 429)]).toEqual([TRIES, 60 - TRIES]);
  });

  it('finds recovery codes limited like any other', async () => {
    const other = await browser.open(linkNamed(page, 'Use a recovery code'));
    const answers = await atOnce(100, (index) =>
      browser.submit(other, { code: `0000-0000-${String(index).padStart(4, '0')}` }),
    );
    expect([statuses(answers, 400), statuses(answers, 429)]).toEqual([TRIES, 100 - TRIES]);
    expect(await gatehouse.factors.of(person.sub)).toMatchObject({ recovery_codes_left: codes.length });
  });

  it('gets in once by a code that was seen, however many send it at once', async () => {
    passTime(31);
    const code = await codeOf(secret);
    const journeys: { page: Page; browser: Browser }[] = [];
    for (let index = 0; index < 6; index += 1) journeys.push({ page: await challenge(), browser });
    const answers = await Promise.all(journeys.map((one) => one.browser.submit(one.page, { code })));
    expect(answers.filter(({ status }) => status === 0)).toHaveLength(1);
    // Nor later in the same step, nor with the one before.
    const late = await challenge();
    expect((await browser.submit(late, { code })).status).toBe(400);
    expect((await browser.submit(late, { code: await codeOf(secret, -30) })).status).toBe(400);
  });

  it('gets in once by a recovery code, however many send it at once', async () => {
    const journeys: { page: Page; browser: Browser }[] = [];
    for (let index = 0; index < 6; index += 1) {
      const own = await challenge();
      journeys.push({ page: await browser.open(linkNamed(own, 'Use a recovery code')), browser });
    }
    const answers = await Promise.all(journeys.map((one) => one.browser.submit(one.page, { code: codes[0]! })));
    expect(answers.filter(({ status }) => status === 0)).toHaveLength(1);
    expect(await gatehouse.factors.of(person.sub)).toMatchObject({ recovery_codes_left: codes.length - 1 });
  });

  it('finds neither secret nor code in the log', async () => {
    await browser.submit(page, { code: '123123' });
    passTime(31);
    const code = await codeOf(secret);
    await browser.submit(page, { code });
    const log = JSON.stringify(gatehouse.logged);
    for (const hidden of [secret, ...codes]) expect(log).not.toContain(hidden);
    // As numbers of their own: the log is full of times.
    for (const typed of [code, '123123']) expect(log).not.toMatch(new RegExp(`\\b${typed}\\b`));
  });
});
