/** Chromium for journeys that only a real browser can tell the truth about. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import type { Browser, Locator, Page } from 'playwright-core';

const MOST_STOPS = 20;
const SCREENSHOTS = path.resolve(import.meta.dirname, '../screenshots');

function findChromium(): string | undefined {
  if (process.env['CHROMIUM']) return process.env['CHROMIUM'];
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      // the next name
    }
  }
  return undefined;
}

export const chromiumPath = findChromium();
if (!chromiumPath) console.warn('SKIPPED: the browser journeys need Chromium on the PATH, or CHROMIUM naming it.');

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath!,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });

/** With `SCREENSHOTS` set, saves a picture beside the tests, outside version control. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (!process.env['SCREENSHOTS']) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** Comes to a button as a person without a mouse does. */
export async function tabTo(button: Locator): Promise<void> {
  await button.waitFor();
  for (let stops = 0; stops < MOST_STOPS; stops += 1) {
    if (await button.evaluate((one: { matches(selector: string): boolean }) => one.matches(':focus'))) return;
    await button.page().keyboard.press('Tab');
  }
  throw new Error('it is not reached by Tab');
}

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** What axe sees of colours: all that can differ between light and dark. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/** What axe finds against WCAG 2.2 AA, in light and in dark. */
export async function violations(page: Page): Promise<string[]> {
  const found: string[] = [];
  // Through the debugger, where the page's CSP does not apply.
  await page.evaluate(axe.source);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const runOnly = colorScheme === 'light' ? WCAG : { type: 'rule' as const, values: OF_COLOURS };
    const result = await page.evaluate(
      (only) => (globalThis as unknown as { axe: typeof axe }).axe.run({ runOnly: only, resultTypes: ['violations'] }),
      runOnly,
    );
    found.push(
      ...result.violations.map(
        ({ id, nodes }) => `${colorScheme}: ${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
      ),
    );
  }
  return found;
}
