/** Steps with passkeys, by a browser whose script is this file. */
import { Authenticator } from './passkey-authenticator.ts';
import type { Lie, Options } from './passkey-authenticator.ts';
import type { Browser, Page } from './browser.ts';
import type { Running } from './gatehouse.ts';
import { begin, linkNamed } from './journey.ts';
import type { RelyingParty } from './relying-party.ts';

export const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };

/** The form that `public/passkey.js` would show and fill in. */
export function passkeyForm(page: Page) {
  const form = page.html.querySelector('form[data-passkey]');
  if (!form) throw new Error(`no passkey form on ${page.url.href}: ${page.text.slice(0, 500)}`);
  return {
    action: form.getAttribute('action')!,
    options: form.getAttribute('data-options')!,
    csrf: form.querySelector('input[name=_csrf]')!.getAttribute('value')!,
  };
}

export async function optionsOf(browser: Browser, page: Page): Promise<Options> {
  const { options, csrf } = passkeyForm(page);
  const response = await browser.request(options, {
    method: 'POST',
    body: new URLSearchParams({ _csrf: csrf }),
    headers: { ...SAME_ORIGIN, accept: 'application/json' },
  });
  if (response.status !== 200) throw new Error(`no options: ${response.status} ${await response.text()}`);
  return (await response.json()) as Options;
}

/** Sends what an authenticator answered. */
export const sendAnswer = (browser: Browser, page: Page, credential: string): Promise<Page> =>
  browser.open(passkeyForm(page).action, {
    method: 'POST',
    body: new URLSearchParams({ _csrf: passkeyForm(page).csrf, credential }),
    headers: SAME_ORIGIN,
  });

export const usePasskey = async (browser: Browser, page: Page, device: Authenticator, lie?: Lie): Promise<Page> =>
  sendAnswer(browser, page, device.get(await optionsOf(browser, page), lie));

export const createPasskey = async (browser: Browser, page: Page, device: Authenticator, lie?: Lie): Promise<Page> =>
  sendAnswer(browser, page, device.create(await optionsOf(browser, page), lie));

const OFFER_COOKIE = 'gatehouse_passkey_offer';

/** What the page's script notes where the device has an authenticator of its own. */
export const deviceCanMakePasskeys = (browser: Browser, issuer: string) =>
  browser.jar.setCookie(`${OFFER_COOKIE}=able; Path=/; SameSite=Lax`, issuer);

/** A passkey of a person, on an authenticator of their own, without any page. */
export async function withPasskey(
  gatehouse: Running,
  { sub, email }: { sub: string; email: string },
  options?: ConstructorParameters<typeof Authenticator>[1],
): Promise<Authenticator> {
  const device = new Authenticator(gatehouse.issuer, options);
  const asked = await gatehouse.passkeys!.registrationOptions('test', { id: sub, email, name: 'Ada' });
  const result = await gatehouse.passkeys!.register('test', sub, device.create(asked as Options));
  if ('problem' in result) throw new Error(result.problem);
  return device;
}

/** Fills in the sign-up form of a new sign-in, to have a passkey in place of a password. */
export async function signUpWithPasskey(
  rp: RelyingParty,
  browser: Browser,
  values: { name: string; email: string },
  parameters?: Record<string, string>,
): Promise<Page> {
  const form = await browser.open(linkNamed(await begin(rp, browser, parameters), 'Create an account'));
  const action = form.html.querySelector('[data-passkey-only]')!.getAttribute('formaction')!;
  const _csrf = form.html.querySelector('input[name=_csrf]')!.getAttribute('value')!;
  return browser.open(action, { method: 'POST', body: new URLSearchParams({ _csrf, password: '', ...values }) });
}
