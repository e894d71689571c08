/** One person's browser between a Gatehouse and its upstreams, each at an origin of its own. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AuthorizationCodeGrantChecks, IDToken } from 'openid-client';
import { stringify } from 'yaml';
import { Browser } from './browser.ts';
import type { Page } from './browser.ts';
import { startGatehouse } from './gatehouse.ts';
import type { Running } from './gatehouse.ts';
import type { RelyingParty } from './relying-party.ts';

/** A Gatehouse with these upstream providers, as its YAML file would name them. */
export function startWithUpstreams(
  federation: Record<string, object>,
  env: Record<string, string> = {},
  ...rest: [issuerPath?: string, port?: number]
): Promise<Running> {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'gatehouse-upstream-')), 'config.yaml');
  writeFileSync(file, stringify({ federation }));
  return startGatehouse({ GATEHOUSE_CONFIG: file, ...env }, ...rest);
}

/** Presses the button of a provider. @returns where the browser was sent: the provider's authorization request. */
export async function press(browser: Browser, page: Page, provider: string): Promise<URL> {
  const away = await browser.submit(page, {}, `/upstream/${provider}`);
  if (away.status !== 0) throw new Error(`the browser stayed at ${away.url.href}: ${away.text.slice(0, 2000)}`);
  return away.url;
}

export const hasButton = (page: Page, provider: string): boolean =>
  page.html.querySelectorAll('form').some((form) => form.getAttribute('action')?.endsWith(`/upstream/${provider}`));

export const newBrowser = ({ issuer }: Running): Browser => new Browser(issuer);

/** Up to the address at the provider that the button leads to. */
export async function goTo(rp: RelyingParty, browser: Browser, provider: string, parameters?: Record<string, string>) {
  const { url, checks } = await rp.request(parameters);
  return { away: await press(browser, await browser.open(url), provider), checks };
}

/** From the provider's answer through consent to the ID token's claims. */
export async function comeBackTo(
  rp: RelyingParty,
  browser: Browser,
  callback: URL,
  checks: AuthorizationCodeGrantChecks,
): Promise<IDToken> {
  let page = await browser.open(callback);
  if (page.html.querySelector('button[name=decision]')) page = await browser.submit(page, { decision: 'allow' });
  if (page.status !== 0) throw new Error(`the journey ended at ${page.url.href}: ${page.text.slice(0, 3000)}`);
  return (await rp.redeem(page.url, checks)).claims()!;
}
