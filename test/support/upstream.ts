/** One person's browser between a Gatehouse and its upstreams, each at an origin of its own. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { Browser } from './browser.ts';
import type { Page } from './browser.ts';
import { startGatehouse } from './gatehouse.ts';
import type { Running } from './gatehouse.ts';

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
