/** An admin in the console. */
import { Browser } from './browser.ts';
import type { Page } from './browser.ts';
import type { Running } from './gatehouse.ts';
import { enterPassword } from './journey.ts';
import type { Person } from './journey.ts';

/** Opens a page of the console, signing in on the way where that is asked. */
export async function openConsole(browser: Browser, person: Person, path = ''): Promise<Page> {
  const page = await browser.open(`/admin${path}`);
  return page.html.querySelector('input[name=password]') && page.url.pathname.includes('/interaction/')
    ? enterPassword(browser, page, person)
    : page;
}

/** Somebody with the role, signed in. */
export async function anAdmin(gatehouse: Running, name = 'Grace Hopper'): Promise<{ admin: Person; browser: Browser }> {
  const admin = await gatehouse.person({ name, roles: ['admin'] });
  const browser = new Browser(gatehouse.issuer);
  await openConsole(browser, admin);
  return { admin, browser };
}
