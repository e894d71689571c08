import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isEmailAddress, normalizeEmail } from '../../src/accounts/email.ts';
import { PASSWORD, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { Browser } from '../support/browser.ts';
import { begin, enterPassword } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import { MEASURED } from '../support/timing.ts';

const ODD = [
  'ada+newsletter@example.com',
  'ada.lovelace@example.com',
  "o'brien@example.com",
  '!#$%&*+-/=?^_`{|}~@example.com',
  '"ada lovelace"@example.com',
  '"ada@home"@example.com',
  'a@b.co',
  'ada@localhost',
  'ada@example.museum',
  'ada@sub.sub.sub.example.com',
  'ada@xn--bcher-kva.example',
  'ada@bücher.example',
  'josé@example.com',
  'jose\u0301@example.com',
  'почта@пример.рф',
  '用户@例子.广告',
  'ada@[127.0.0.1]',
  `${'a'.repeat(64)}@example.com`,
  'ADA@EXAMPLE.COM',
  '1234567890@example.com',
  '_______@example.com',
  'ada@123.example',
];
const WRONG = [
  '',
  ' ',
  'ada',
  '@example.com',
  'ada@',
  'ada@@example.com',
  'a@b@c',
  'ada@exa mple.com',
  'ada lovelace@example.com',
  'ada@example.com\n',
  'ada@example.com\r\nBcc: x@y.example',
  'ada\u0000@example.com',
  '<ada@example.com>',
  'Ada <ada@example.com>',
  'ada@-example.com',
  '.ada@example.com',
  'ada..b@example.com',
  `${'a'.repeat(65)}@example.com`,
  `a@${'b'.repeat(300)}.com`,
  'ada@example..com',
  'ada@[300.1.1.1]',
  'javascript:alert(1)@x',
];

const address = fc.oneof(
  fc.emailAddress(),
  fc.constantFrom(...ODD),
  fc
    .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), fc.domain())
    .map(([local, domain]) => `${local}@${domain}`),
  fc
    .tuple(fc.emailAddress(), fc.constantFrom(' ', '\t', '\u00a0', '\u200b', '\u0000', '\r\n'))
    .map(([email, space]) => space + email + space),
  fc.string({ unit: 'binary' }),
);
const ofAccepted = (holds: (email: string) => void) =>
  fc.assert(
    fc.property(address, (text) => {
      const email = text.trim();
      if (isEmailAddress(email)) holds(email);
    }),
    { numRuns: 2000, examples: [...ODD, ...WRONG].map((email): [string] => [email]) },
  );

describe('every accepted e-mail address', () => {
  it('normalises to the same once and twice', () => {
    ofAccepted((email) => expect(normalizeEmail(normalizeEmail(email))).toBe(normalizeEmail(email)));
  });

  it('still has a name and a domain when it is normalised', () => {
    ofAccepted((email) => expect(normalizeEmail(email)).toMatch(/^.+@[^@\s]+$/su));
  });

  it('has no control characters, so that it fits into one header line', () => {
    // eslint-disable-next-line no-control-regex
    ofAccepted((email) => expect(email).not.toMatch(/[\u0000-\u001f\u007f]/));
  });

  it('is the same in upper and in lower case', () => {
    ofAccepted((email) => {
      if (/^[\x20-\x7e]*$/.test(email))
        expect(normalizeEmail(email.toUpperCase())).toBe(normalizeEmail(email.toLowerCase()));
    });
  });
});

describe('e-mail addresses', () => {
  it.each(ODD)('%s is one', (email) => {
    expect(isEmailAddress(email)).toBe(true);
  });

  it('ada@[IPv6:2001:db8::1] is one', () => {
    expect(isEmailAddress('ada@[IPv6:2001:db8::1]')).toBe(true);
  });

  it.each(WRONG)('%j is none', (email) => {
    expect(isEmailAddress(email)).toBe(false);
  });

  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    ['jose\u0301@example.com', 'jos\u00e9@example.com'],
    ['ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
    ['"ada"@example.com', 'ada@example.com'],
  ])('%s is the same mailbox as %s', (one, other) => {
    expect(normalizeEmail(one)).toBe(normalizeEmail(other));
  });

  it.each([
    ['ada+1@example.com', 'ada@example.com'],
    ['a.da@example.com', 'ada@example.com'],
    ['"ada lovelace"@example.com', 'adalovelace@example.com'],
    ['ada@example.com', 'аda@example.com'],
  ])('%s is not the same mailbox as %s', (one, other) => {
    expect(normalizeEmail(one)).not.toBe(normalizeEmail(other));
  });

  it('of any length are judged at once', MEASURED, () => {
    const started = performance.now();
    for (const email of [
      'a'.repeat(1_000_000),
      `${'a.'.repeat(100_000)}@b.c`,
      `"${'\\'.repeat(100_000)}"@b.c`,
      `a@${'b.'.repeat(100_000)}c`,
    ]) {
      isEmailAddress(email);
      normalizeEmail(email);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('a person', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  it('can sign in with each odd legal address, in another spelling too', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    for (const email of [...new Map(ODD.map((one) => [normalizeEmail(one), one])).values()]) {
      await gatehouse.person({ email });
      for (const spelling of new Set([` ${email} `, normalizeEmail(email)])) {
        const browser = new Browser(gatehouse.issuer);
        const page = await enterPassword(browser, await begin(rp, browser), { email: spelling, password: PASSWORD });
        expect([spelling, page.url.searchParams.has('code')]).toEqual([spelling, true]);
      }
    }
  });

  it('can sign in with every address that fast-check finds', async () => {
    await fc.assert(
      fc.asyncProperty(address, async (email) => {
        if (!isEmailAddress(email.trim())) return;
        const account = await gatehouse.accounts.create({ email, name: 'x' }).catch(() => undefined);
        expect((await gatehouse.accounts.get(normalizeEmail(email))).email_normalized).toBe(normalizeEmail(email));
        if (account) await gatehouse.accounts.delete(account.id);
      }),
      { numRuns: 300 },
    );
  });
});
