/** The same with a stopwatch. Each pair of kinds is asked for in turn, and the order of the times compared. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, enterPassword, linkNamed } from '../support/journey.ts';
import { startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';
import { MEASURED, interleaved, separation, tellsApart } from '../support/timing.ts';

const ROUNDS = 15;
/** Milliseconds: a hash at the cost set here takes some twenty. */
const LEAST = 5;

describe('whoever times answers', () => {
  let gatehouse: Running;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  let browser: Browser;
  let start: Page;
  let known: string[];
  beforeAll(async () => {
    ({ gatehouse, stop } = await startWithMail({
      GATEHOUSE_PASSWORDS_MEMORY_KIB: '32768',
      GATEHOUSE_SIGN_IN_MAILED: 'true',
      GATEHOUSE_LIMITS_ENABLED: 'false',
    }));
    rp = await relyingParty(gatehouse, await gatehouse.app());
    browser = new Browser(gatehouse.issuer);
    start = await begin(rp, browser);
    known = [];
    for (let i = 0; i < ROUNDS + 1; i += 1) known.push((await gatehouse.person()).email);
  });
  afterAll(() => stop());

  const unknown = (round: number) => `nobody${round}.${ROUNDS}@example.com`;
  const form = async (link: string) => browser.open(linkNamed(start, link));
  /** Times one way to ask about a person, after one round for what is done but once. */
  async function compare(asked: (email: string) => Promise<Page>, status = 200) {
    const ask = async (email: string) => expect((await asked(email)).status).toBe(status);
    await Promise.all([ask(known[ROUNDS]!), ask(unknown(ROUNDS))]);
    return interleaved(
      ROUNDS,
      (round) => ask(known[round]!),
      (round) => ask(unknown(round)),
    );
  }

  it('learns nothing from a wrong password', MEASURED, async () => {
    const guess = (email: string) => enterPassword(browser, start, { email, password: 'a wrong pass phrase' });
    const times = await compare(guess, 401);
    expect(tellsApart(times, LEAST)).toBe(false);
  });

  it('learns nothing from signing up', MEASURED, async () => {
    const page = await form('Create an account');
    const times = await compare((email) =>
      browser.submit(page, { name: 'Ada', email, password: 'tr0ubadour and staple' }),
    );
    expect(tellsApart(times, LEAST)).toBe(false);
  });

  it('learns nothing from asking for a new password', MEASURED, async () => {
    const page = await form('Forgot your password?');
    expect(tellsApart(await compare((email) => browser.submit(page, { email })), LEAST)).toBe(false);
  });

  it('learns nothing from signing in by mail', MEASURED, async () => {
    const page = await form('Sign in by mail');
    expect(tellsApart(await compare((email) => browser.submit(page, { email })), LEAST)).toBe(false);
  });

  it('would learn it where the work were left out: the comparison sees a missing hash', MEASURED, async () => {
    const hash = () => gatehouse.accounts.authenticate(known[0]!, 'a wrong pass phrase');
    const page = () => browser.open(start.url);
    const times = await interleaved(
      ROUNDS,
      async () => {
        await page();
        await hash();
      },
      page,
    );
    expect(separation(times)).toBeGreaterThan(0.9);
    expect(tellsApart(times, LEAST)).toBe(true);
  });
});
