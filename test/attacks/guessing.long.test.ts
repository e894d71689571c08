import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, enterPassword } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import { MEASURED } from '../support/timing.ts';

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

describe('whoever guesses', () => {
  let gatehouse: Running;
  let browser: Browser;
  let page: Page;
  let emails: Record<'known' | 'unknown' | 'suspended' | 'without a password', string>;
  beforeAll(async () => {
    // Costly enough that a hash left out would show.
    gatehouse = await startGatehouse({
      GATEHOUSE_PASSWORDS_MEMORY_KIB: '32768',
      GATEHOUSE_LIMITS_PASSWORD_ACCOUNT_AND_ADDRESS: '1000',
      GATEHOUSE_LIMITS_PASSWORD_ACCOUNT: '1000',
      GATEHOUSE_LIMITS_PASSWORD_ADDRESS: '1000',
    });
    const [known, suspended] = [await gatehouse.person(), await gatehouse.person()];
    await gatehouse.access.suspend(suspended.sub);
    const bare = await gatehouse.accounts.create({ email: 'bare@example.com', name: 'Bare' });
    emails = {
      known: known.email,
      unknown: 'nobody@example.com',
      suspended: suspended.email,
      'without a password': bare.email,
    };
    browser = new Browser(gatehouse.issuer);
    page = await begin(await relyingParty(gatehouse, await gatehouse.app()), browser);
    await guess('known');
  });
  afterAll(() => gatehouse.stop());

  const guess = (who: keyof typeof emails) =>
    enterPassword(browser, page, { email: emails[who], password: 'tr0ubadour and stapler' });
  const timed = async (who: keyof typeof emails) => {
    const started = performance.now();
    await guess(who);
    return performance.now() - started;
  };

  it.each(['unknown', 'suspended', 'without a password'] as const)(
    'hears the same about an account that is %s as about one that is known',
    async (who) => {
      const [one, other] = [await guess('known'), await guess(who)];
      expect(other.status).toBe(one.status);
      expect(other.text.replaceAll(emails[who], '')).toBe(one.text.replaceAll(emails.known, ''));
      const names = (answer: Page) => [...answer.headers.keys()].sort();
      expect(names(other)).toEqual(names(one));
    },
  );

  it.each(['unknown', 'suspended', 'without a password'] as const)(
    'waits as long about an account that is %s as about one that is known',
    MEASURED,
    async (who) => {
      const times: Record<string, number[]> = { known: [], other: [] };
      for (let round = 0; round < 7; round += 1) {
        times['known']!.push(await timed('known'));
        times['other']!.push(await timed(who));
      }
      const ratio = median(times['other']!) / median(times['known']!);
      expect(ratio).toBeGreaterThan(0.5);
      expect(ratio).toBeLessThan(2);
    },
  );

  it('does not learn by the right password that an account is suspended', async () => {
    const { status, text } = await enterPassword(browser, page, {
      email: emails.suspended,
      password: 'tr0ubadour and staple',
    });
    expect(status).toBe(401);
    expect(text).toContain('That e-mail and password do not match.');
  });

  it.each([
    "' OR '1'='1",
    '{"$gt":""}',
    '*',
    '%',
    'x@example.com\u0000',
    '"@"@"',
    '@',
    'a'.repeat(5000),
    `${'a'.repeat(300)}@example.com`,
  ])('gets nowhere with %j for an e-mail', async (email) => {
    const answer = await enterPassword(browser, page, { email, password: 'tr0ubadour and staple' });
    expect([400, 401]).toContain(answer.status);
  });

  it('of more passwords than can be hashed is told that we are busy, and when to come back', async () => {
    const small = await startGatehouse({ GATEHOUSE_PASSWORDS_QUEUE: '1', GATEHOUSE_PASSWORDS_MEMORY_KIB: '32768' });
    const own = new Browser(small.issuer);
    const form = await begin(await relyingParty(small, await small.app()), own);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        enterPassword(own, form, { email: `${index}@example.com`, password: 'some guess' }),
      ),
    );
    const busy = answers.filter(({ status }) => status === 503);
    expect(busy.length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 401 || status === 503)).toBe(true);
    expect(busy[0]!.headers.get('retry-after')).toBe('2');
    expect(busy[0]!.text).toContain('Too many people are signing in right now');
    expect((await fetch(`${small.issuer}/jwks`)).status).toBe(200);
    await small.stop();
  });
});
