/** A person at their account page. */
import { Browser } from './browser.ts';
import type { Page } from './browser.ts';
import { enterPassword } from './journey.ts';
import type { Person } from './journey.ts';

/** Opens a page of the account, signing in on the way where that is asked. */
export async function openAccount(browser: Browser, person: Person, path = ''): Promise<Page> {
  const page = await browser.open(`/account${path}`);
  return page.html.querySelector('input[name=password]') &&
    page.html.querySelector('input[name=email]') &&
    !path.startsWith('/email')
    ? enterPassword(browser, page, person)
    : page;
}

export const USER_AGENTS = {
  laptop: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  phone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
};

/** A browser on this kind of device. */
export function browserOn(issuer: string, device: keyof typeof USER_AGENTS): Browser {
  const browser = new Browser(issuer);
  browser.headers = { ...browser.headers, 'user-agent': USER_AGENTS[device] };
  return browser;
}

export const statusText = (page: Page): string => page.html.querySelector('[role=status]')?.text.trim() ?? '';
/** The things on a page, each as its text. */
export const rows = (page: Page): string[] =>
  page.html.querySelectorAll('.gh-row').map((row) => row.text.replace(/\s+/g, ' ').trim());
