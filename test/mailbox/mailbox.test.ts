/** The development mailbox, as a person and a browser meet it. */
import type { Browser as Chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { chromiumPath, launch, screenshot } from '../support/chromium.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { heading, linkNamed } from '../support/journey.ts';

const TO = 'ada.lovelace@example.com';
const NASTY = '<img src=x onerror=alert(1)>';

describe('the mailbox', () => {
  let gatehouse: Running;
  let browser: Browser;
  let link: string;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_MAIL_MAILBOX: 'true' });
    browser = new Browser(gatehouse.issuer);
    link = `${gatehouse.issuer}/verify?token=${'x'.repeat(43)}&a=b`;
  });
  afterAll(() => gatehouse.stop());

  const send = (data: Record<string, unknown> = {}) =>
    gatehouse.mail.mailer.send({
      to: TO,
      template: 'verify-email',
      locale: 'en',
      data: { name: 'Ada', url: link, code: '493817', minutes: 15, app: 'Acme Notes', ...data },
    });

  it('is empty at first, and the landing page leads to it', async () => {
    const landing = await browser.open('/');
    const page = await browser.open(linkNamed(landing, 'Read the mails'));
    expect([page.status, heading(page)]).toEqual([200, 'Mailbox']);
    expect(page.text).toContain('None yet');
  });

  it('shows what would be sent: for whom, its link, its code, text and HTML', async () => {
    await send();
    const list = await browser.open('/mailbox');
    const mail = await browser.open(linkNamed(list, 'Confirm your e-mail address'));
    expect(heading(mail)).toBe('Confirm your e\u2011mail address');
    expect(mail.html.querySelector('main')!.text).toContain(TO);
    expect(mail.html.querySelector('a.gh-button')!.getAttribute('href')).toBe(link);
    expect(mail.html.querySelector('#code')!.text).toBe('493817');
    expect(mail.html.querySelector('pre')!.text).toContain(link);
    const letter = await browser.open(mail.html.querySelector('iframe')!.getAttribute('src')!);
    expect(letter.text).toContain('Hello Ada,');
  });

  it('lets nothing in a mail run or be framed by others', async () => {
    await send({ app: NASTY });
    const [{ id } = { id: '' }] = (await gatehouse.mail.outbox.list('shown', {})).items.toReversed();
    const mail = await browser.open(`/mailbox/${id}`);
    const letter = await browser.open(`/mailbox/${id}/html`);
    for (const { html } of [mail, letter]) expect(html.querySelector('img[src=x]')).toBeNull();
    const policy = letter.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'self'");
    expect(policy).toMatch(/sandbox (?!.*allow-(scripts|same-origin|forms))/);
    expect(mail.headers.get('content-security-policy')).toContain("style-src 'self'");
    expect(mail.html.querySelector('iframe')!.getAttribute('sandbox')).not.toMatch(/scripts|same-origin|forms/);
  });

  it.each(['/mailbox/unknown', '/mailbox/unknown/html'])('knows no %s', async (path) => {
    expect((await browser.open(path)).status).toBe(404);
  });

  it('does not empty itself for another site', async () => {
    const answer = await browser.request('/mailbox/empty', {
      method: 'POST',
      body: new URLSearchParams({ _csrf: 'x' }),
    });
    expect(answer.status).toBe(403);
    expect((await gatehouse.mail.outbox.list('shown', {})).items).not.toHaveLength(0);
  });

  describe.skipIf(!chromiumPath)('in Chromium', () => {
    let chromium: Chromium;
    beforeAll(async () => {
      chromium = await launch();
    });
    afterAll(() => chromium?.close());

    it('reads well in light and dark, wide and narrow, without JavaScript, and its link opens in a tab', async () => {
      const context = await chromium.newContext({ javaScriptEnabled: false, viewport: { width: 320, height: 640 } });
      const page = await context.newPage();
      await page.goto(`${gatehouse.issuer}/mailbox`);
      await page.getByRole('link', { name: 'Confirm your e-mail address' }).first().click();
      const letter = page.frameLocator('iframe');
      await letter.getByRole('heading', { name: 'Confirm your e\u2011mail address' }).waitFor();
      for (const [width, colorScheme] of [
        [320, 'light'],
        [320, 'dark'],
        [1280, 'light'],
        [1280, 'dark'],
      ] as const) {
        // As high as the page: a frame out of sight is not drawn.
        await page.setViewportSize({ width, height: 2100 });
        await page.emulateMedia({ colorScheme });
        await letter.getByRole('link', { name: 'Confirm my address' }).hover();
        await screenshot(page, `mailbox-${width}-${colorScheme}`);
      }
      const [tab] = await Promise.all([
        context.waitForEvent('page'),
        letter.getByRole('link', { name: 'Confirm my address' }).click(),
      ]);
      await tab.waitForURL(link);
      await context.close();
    });
  });

  it('is emptied by its button', async () => {
    const page = await browser.submit(await browser.open('/mailbox'), {}, '/empty');
    expect(page.text).toContain('None yet');
    expect((await gatehouse.mail.outbox.list('shown', {})).items).toEqual([]);
  });
});

describe('where mails are sent, or go nowhere', () => {
  it.each<Record<string, string>>([
    {},
    { GATEHOUSE_MAIL_MAILBOX: 'true', GATEHOUSE_MAIL_SMTP_URL: 'smtp://127.0.0.1:1' },
  ])('there is no mailbox (%o)', async (env) => {
    const gatehouse = await startGatehouse(env);
    const browser = new Browser(gatehouse.issuer);
    expect((await browser.open('/mailbox')).status).toBe(404);
    expect(linkNamed(await browser.open('/'), 'Read the mails')).toBe('');
    await gatehouse.stop();
  });
});
