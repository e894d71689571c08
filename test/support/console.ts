/** An admin in the console. */
import { Browser } from './browser.ts';
import type { Page } from './browser.ts';
import type { Running } from './gatehouse.ts';
import { enterPassword, fieldValue } from './journey.ts';
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

export interface PeopleFile {
  name?: string;
  content: string | Uint8Array<ArrayBuffer>;
  type?: string;
  what?: 'check' | 'import';
  format?: string;
  after_line?: string;
}

/** Chooses a file on the page for it, and sends it as its form does: the file last. @returns the page that tells what became of it. */
export async function sendFile(browser: Browser, file: PeopleFile): Promise<Page> {
  const { content, name = 'people.jsonl', type = '', what = 'import', format = '', after_line = '' } = file;
  const page = await browser.open('/admin/people/import');
  const body = new FormData();
  body.append('_csrf', fieldValue(page, '_csrf'));
  for (const [field, value] of Object.entries({ what, format, after_line })) body.append(field, value);
  body.append('file', new Blob([content], { type }), name);
  return browser.open('/admin/people/import', { method: 'POST', body, headers: { 'sec-fetch-site': 'same-origin' } });
}
