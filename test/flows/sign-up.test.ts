import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { PASSWORD, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, fieldValue, heading, linkNamed } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('a person without an account', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let browser: Browser;
  let checks: Awaited<ReturnType<RelyingParty['request']>>['checks'];
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => gatehouse.stop());
  beforeEach(() => {
    browser = new Browser(gatehouse.issuer);
  });

  async function signUpPage(parameters: Record<string, string> = {}): Promise<Page> {
    const request = await rp.request(parameters);
    checks = request.checks;
    const page = await browser.open(request.url);
    return browser.open(linkNamed(page, 'Create an account'));
  }
  const fill = async (values: Record<string, string>) =>
    browser.submit(await signUpPage(), {
      name: 'Grace Hopper',
      email: 'grace@example.com',
      password: PASSWORD,
      ...values,
    });
  const errors = (page: Page) => page.html.querySelectorAll('.gh-alert a').map((item) => item.text.trim());

  it('creates one on the way to the app, with an e-mail that is not yet verified', async () => {
    const page = await browser.submit(await signUpPage(), {
      name: 'Ada',
      email: 'ada.new@example.com',
      password: PASSWORD,
    });
    const done = await browser.submit(page, { decision: 'allow' });
    expect((await rp.redeem(done.url, checks)).claims()).toMatchObject({
      name: 'Ada',
      email: 'ada.new@example.com',
      email_verified: false,
      amr: ['pwd'],
    });
  });

  it('finds the e-mail of login_hint filled in', async () => {
    expect(fieldValue(await signUpPage({ login_hint: 'hint@example.com' }), 'email')).toBe('hint@example.com');
  });

  it('hears of every mistake at once and keeps what was right', async () => {
    const page = await fill({ name: ' ', email: 'nonsense', password: 'short' });
    expect(page.status).toBe(400);
    expect(errors(page)).toEqual([
      'Enter your name.',
      'Enter a full e-mail address, like ada@example.com.',
      'That password is too short. Use at least 8 characters.',
    ]);
    expect(fieldValue(page, 'email')).toBe('nonsense');
  });

  it('never gets the password back in the page', async () => {
    expect((await fill({ name: '', password: 'tr0ubadour-and-staple' })).text).not.toContain('tr0ubadour-and-staple');
  });

  it.each([
    ['that many use', 'password123', 'Many people use that password'],
    ['that holds the e-mail', 'my Grace@Example.com!', 'does not contain your e-mail'],
    ['that holds the name in the e-mail', 'xX-grace-Xx-2026', 'does not contain your e-mail'],
    ['of 257 characters', 'p'.repeat(257), 'That password is too long'],
  ])('cannot use a password %s', async (_which, password, said) => {
    expect(errors(await fill({ password }))).toEqual([expect.stringContaining(said)]);
  });

  it('may have a name of emoji and a password of 256 of them', async () => {
    const page = await fill({ name: '👩‍🚀', email: 'emoji@example.com', password: '🔑'.repeat(255) + '🗝' });
    expect(heading(page)).toBe('Acme Notes wants access');
  });

  it('cannot have a name of 201 characters', async () => {
    expect(errors(await fill({ name: 'n'.repeat(201) }))).toEqual(['That name is too long. Use a shorter one.']);
  });

  it('cannot take an e-mail that is taken, in whatever spelling', async () => {
    await gatehouse.person({ email: 'Taken@example.com' });
    const page = await fill({ email: ' tAKEN@EXAMPLE.com ' });
    expect(errors(page)).toEqual([expect.stringContaining('already an account')]);
  });

  it('gets one account of two parallel sign-ups', async () => {
    const email = 'twice@example.com';
    const pages = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const own = new Browser(gatehouse.issuer);
        const page = await own.open(linkNamed(await begin(rp, own), 'Create an account'));
        return own.submit(page, { name: 'Twice', email, password: PASSWORD });
      }),
    );
    expect(pages.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
  });

  it('is signed in afterwards, for the next app too', async () => {
    await fill({ email: 'next@example.com' });
    const next = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    expect((await begin(next, browser)).url.searchParams.get('code')).toBeTruthy();
  });
});

describe('where signing up is switched off', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_SIGN_UP_ENABLED: 'false' });
  });
  afterAll(() => gatehouse.stop());

  it('nothing offers it, and its address is not found', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser);
    expect(page.text).not.toContain('sign-up');
    const address = `${page.url.pathname}/sign-up`;
    expect((await browser.open(address)).status).toBe(404);
    const fields = { _csrf: fieldValue(page, '_csrf'), name: 'A', email: 'a@example.com', password: PASSWORD };
    const posted = await browser.open(address, { method: 'POST', body: new URLSearchParams(fields) });
    expect(posted.status).toBe(404);
    await expect(gatehouse.accounts.get('a@example.com')).rejects.toThrow();
  });
});
