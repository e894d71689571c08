/** Every page of the product, each by the same rules: WCAG 2.2 AA, small screens, keyboard, forms, motion. */
import ejs from 'ejs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chromiumPath, launch, screenshot, violations } from '../support/chromium.ts';
import type { Running } from '../support/gatehouse.ts';
import { formProblems, pageProblems, sendEmptyForm } from '../support/page-checks.ts';
import { relyingParty } from '../support/relying-party.ts';
import { CLIENT, startOpenidServer } from '../support/upstream-servers.ts';
import { startWithUpstreams } from '../support/upstream.ts';
import { pageTemplates, wayTo } from '../support/visits.ts';
import type { Stage } from '../support/visits.ts';

const TWO_FACTORS = 'urn:gatehouse:acr:2';

describe.skipIf(!chromiumPath)('every page', () => {
  let gatehouse: Running;
  let stage: Stage;
  let browser: Browser;
  let account: BrowserContext;
  let desk: BrowserContext;
  /** Of the browser, such as what a page's own policy stopped. */
  const complaints: string[] = [];
  /** Templates in the order in which they were drawn. */
  const drawn: string[] = [];

  beforeAll(async () => {
    const compile = ejs.compile.bind(ejs) as (
      text: string,
      options: { filename: string },
    ) => (locals: object) => string;
    vi.spyOn(ejs, 'compile').mockImplementation(((text: string, options: { filename: string }) => {
      const draw = compile(text, options);
      return (locals: object) => {
        drawn.push(/views\/(.*)\.ejs$/.exec(options.filename)?.[1] ?? '');
        return draw(locals);
      };
    }) as never);
    const upstream = await startOpenidServer();
    gatehouse = await startWithUpstreams(
      { acme: { type: 'oidc', ...CLIENT, issuer: upstream.issuer } },
      {
        GATEHOUSE_MAIL_MAILBOX: 'true',
        GATEHOUSE_PLAYGROUND_ENABLED: 'true',
        GATEHOUSE_SIGN_IN_MAILED: 'true',
        GATEHOUSE_FACTORS_MAILED_CODE: 'true',
        GATEHOUSE_LIMITS_ENABLED: 'false',
        GATEHOUSE_CIBA_ENABLED: 'true',
      },
    );
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const strict = await relyingParty(gatehouse, await gatehouse.app({ default_acr_values: [TWO_FACTORS] }));
    stage = { gatehouse, rp, strict, upstream };
    browser = await launch();
    account = await browser.newContext({ reducedMotion: 'reduce' });
    desk = await browser.newContext({ reducedMotion: 'reduce' });
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await browser?.close();
    await gatehouse?.stop();
    await stage?.upstream.stop();
  });

  async function visit(template: string): Promise<Page> {
    const way = wayTo(template);
    if (!way) throw new Error(`nobody knows the way to ${template}: add it to test/support/visits.ts`);
    const stays = template.startsWith('portal/')
      ? account
      : template.startsWith('console/') && !/refused|outside/.test(template)
        ? desk
        : undefined;
    const own = stays ?? (await browser.newContext({ reducedMotion: 'reduce' }));
    const page = await own.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    drawn.length = 0;
    complaints.length = 0;
    await way(page, stage);
    expect(drawn.filter((name) => pageTemplates().includes(name)).at(-1)).toBe(template);
    return page;
  }

  it.each(pageTemplates())('%s can be read, operated and understood', async (template) => {
    const page = await visit(template);
    expect(await pageProblems(page)).toEqual([]);
    await screenshot(page, `page-${template.replaceAll('/', '-')}`);

    const status = await sendEmptyForm(page);
    if (status !== undefined && status >= 400) {
      expect(await page.locator('[aria-invalid=true], [role=alert]').count()).toBeGreaterThan(0);
      expect([...(await formProblems(page)), ...(await violations(page))]).toEqual([]);
      await screenshot(page, `page-${template.replaceAll('/', '-')}-wrong`);
    }
    // A page that is itself about a problem has its status: the browser minds that, nobody else.
    expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
    await ([account, desk].includes(page.context()) ? page.close() : page.context().close());
  });
});
