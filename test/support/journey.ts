/** Steps that many journeys share, and time that passes at once. */
import type { AuthorizationCodeGrantChecks } from 'openid-client';
import { vi } from 'vitest';
import type { Running } from './gatehouse.ts';
import { Browser } from './browser.ts';
import type { Page } from './browser.ts';
import { eventually } from './eventually.ts';
import { clickThrough } from './relying-party.ts';
import type { RelyingParty } from './relying-party.ts';

export type App = Awaited<ReturnType<Running['app']>>;
export type Person = Awaited<ReturnType<Running['person']>>;

export interface Authorized {
  /** The app's address with the code. */
  callback: URL;
  checks: AuthorizationCodeGrantChecks;
}

export const heading = (page: Page): string => page.html.querySelector('h1')?.text.trim() ?? '';
export const alertText = (page: Page): string => page.html.querySelector('[role=alert]')?.text.trim() ?? '';
export const fieldValue = (page: Page, name: string): string =>
  page.html.querySelector(`input[name=${name}]`)?.getAttribute('value') ?? '';
export const linkNamed = (page: Page, text: string): string =>
  page.html
    .querySelectorAll('a')
    .find((link) => link.text.trim() === text)
    ?.getAttribute('href') ?? '';

export const browserFor = (rp: RelyingParty): Browser => new Browser(rp.config.serverMetadata().issuer);

/** Opens an authorization request of the app. */
export async function begin(rp: RelyingParty, browser: Browser, parameters?: Record<string, string>): Promise<Page> {
  return browser.open((await rp.request(parameters)).url);
}

/** Fills in the sign-in form. */
export const enterPassword = (browser: Browser, page: Page, { email, password }: Pick<Person, 'email' | 'password'>) =>
  browser.submit(page, { email, password });

/** Up to the consent page. */
export async function beginConsent(
  rp: RelyingParty,
  browser: Browser,
  person: Person,
  parameters?: Record<string, string>,
): Promise<Page> {
  const page = await begin(rp, browser, parameters);
  return page.html.querySelector('input[name=password]') ? enterPassword(browser, page, person) : page;
}

/** Signs in and allows, up to the code. */
export async function authorize(
  rp: RelyingParty,
  person: Person,
  parameters?: Record<string, string>,
  browser = browserFor(rp),
): Promise<Authorized> {
  const { url, checks } = await rp.request(parameters);
  return { callback: await clickThrough(browser, url, person), checks };
}

const realNow = performance.now.bind(performance);
let passed = 0;

/** Moves the clock of the program, the browser and the app on. Undo with `backToNow`. */
export function passTime(seconds: number): void {
  if (!vi.isFakeTimers()) vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  vi.setSystemTime(Date.now() + seconds * 1000);
  passed += seconds * 1000;
  performance.now = () => realNow() + passed;
}

/** Lets time pass until `check` holds: more than one step, where an attempt in hand ended after the first and the next is due later still. */
export const asTimePasses = (seconds: number, check: () => unknown): Promise<unknown> =>
  eventually(() => {
    passTime(seconds);
    return eventually(check, { patienceMs: 3000 });
  });

export function backToNow(): void {
  vi.useRealTimers();
  passed = 0;
  performance.now = realNow;
}

/** `count` calls that begin at the same moment. */
export const atOnce = <T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));
