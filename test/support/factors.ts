/** Journeys that ask for a second factor. */
import type { Browser, Page } from './browser.ts';
import { codeOf } from './authenticator.ts';
import type { Running } from './gatehouse.ts';
import { passTime } from './journey.ts';

/** Gives a person an authenticator app. @returns its secret, and their recovery codes. */
export async function withApp(
  { factors, accounts }: Running,
  { sub }: { sub: string },
): Promise<{ secret: string; codes: string[] }> {
  const account = await accounts.get(sub);
  const { secret } = await factors.beginTotp(account, 'test');
  await factors.confirmTotp(sub, 'test', await codeOf(secret));
  const codes = await factors.renewRecoveryCodes(sub);
  return { secret, codes };
}

/** Types a code of a time step that was not used yet. */
export async function enterCode(browser: Browser, page: Page, secret: string, values: Record<string, string> = {}) {
  passTime(31);
  return browser.submit(page, { code: await codeOf(secret), ...values });
}

/** The secret that an enrolment page shows. */
export const shownSecret = (page: Page): string => page.html.querySelector('#secret')!.text.replaceAll(' ', '').trim();

export const shownCodes = (page: Page): string[] =>
  page.html.querySelectorAll('.gh-codes__list code').map(({ text }) => text.trim());
