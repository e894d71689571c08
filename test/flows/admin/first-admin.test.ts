/** How the first admin comes to be. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { atOnce, backToNow, heading, passTime } from '../../support/journey.ts';

let gatehouse: Running;
beforeAll(async () => {
  gatehouse = await startGatehouse();
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com', password: 'tr0ubadour and staple' };
const tokenIn = (url: string) => new URL(url).searchParams.get('link')!;
const browser = () => new Browser(gatehouse.issuer);

describe('the link for the first admin', () => {
  it('is good for a day only', async () => {
    const { url } = await gatehouse.admins.issueLink({ onlyFirst: true });
    passTime(86_401);
    const page = await browser().open(url);
    expect([page.status, heading(page)]).toEqual([404, 'This link does not work any more']);
  });

  it('makes an admin once, of whoever is first, and is not used up by a typing error', async () => {
    const { url } = await gatehouse.admins.issueLink({ onlyFirst: true });
    const first = browser();
    const page = await first.open(url);
    expect(heading(page)).toBe('Become the first admin');
    for (const [field, value] of [
      ['password', 'short'],
      ['email', 'nonsense'],
      ['name', ' '],
    ] as const) {
      const again = await first.submit(page, { ...ADA, [field]: value });
      expect(again.status, field).toBe(400);
      expect(again.html.querySelector(`#${field}-error`)?.text.trim(), field).toBeTruthy();
    }
    const done = await first.submit(page, ADA);
    expect(heading(done)).toBe('You are an admin');
    expect(await gatehouse.accounts.get(ADA.email)).toMatchObject({ roles: ['admin'], email_verified: true });
    const late = await first.submit(page, { ...ADA, email: 'eve@example.com' });
    expect(late.status).toBe(404);
  });

  it('ends when there is an admin; one that the operator asks for does not', async () => {
    const void_ = await gatehouse.admins.issueLink({ onlyFirst: true });
    expect((await browser().open(void_.url)).status).toBe(404);
    const asked = await gatehouse.admins.issueLink({ onlyFirst: false });
    const tabs = await atOnce(3, async (index) => {
      const one = browser();
      const page = await one.open(asked.url);
      return one.submit(page, { ...ADA, email: `second${index}@example.com` });
    });
    expect(tabs.map(({ status }) => status).toSorted()).toEqual([200, 404, 404]);
  });

  it('cannot be had from another site', async () => {
    const { url } = await gatehouse.admins.issueLink({ onlyFirst: false });
    const response = await fetch(`${gatehouse.issuer}/admin/first`, {
      method: 'POST',
      body: new URLSearchParams({ ...ADA, email: 'csrf@example.com', link: tokenIn(url) }),
    });
    expect(response.status).toBe(403);
  });

  it('cannot be guessed, and is in no log line', async () => {
    const { url } = await gatehouse.admins.issueLink({ onlyFirst: false });
    const wrong = await browser().open(`${gatehouse.issuer}/admin/first?link=${'A'.repeat(43)}`);
    expect(wrong.status).toBe(404);
    await browser().open(url);
    expect(JSON.stringify(gatehouse.logged)).not.toContain(tokenIn(url));
  });
});

describe('the page about the API', () => {
  it('says all there is, without a script, in every language', async () => {
    const page = await browser().open(`${gatehouse.issuer}/admin/api`);
    expect(page.status).toBe(200);
    expect(page.html.querySelector('#listUsers')?.text).toContain('users:read');
    const links = page.html.querySelectorAll('main a[href^="#"]').map((link) => link.getAttribute('href')!);
    expect(links.length).toBeGreaterThan(50);
    for (const link of new Set(links)) expect(page.html.querySelector(link), link).not.toBeNull();
    for (const script of page.html.querySelectorAll('script')) expect(script.getAttribute('src')).toContain('/assets/');
  });
});
