import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { unavailable } from '../../src/kernel/errors.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, beginConsent, enterPassword } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

let gatehouse: Running;
let rp: RelyingParty;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  rp = await relyingParty(gatehouse, await gatehouse.app());
});
afterAll(() => gatehouse.stop());
afterEach(() => {
  vi.restoreAllMocks();
});

/** From now on no record of this kind is written: each fails after everything else that is written with it. */
function stopWriting(kind: string): void {
  const { protocol } = gatehouse.storage;
  const upsert = protocol.upsert.bind(protocol);
  vi.spyOn(protocol, 'upsert').mockImplementation(async (record, options) => {
    if (record.kind !== kind) return upsert(record, options);
    await new Promise((resolve) => setTimeout(resolve, 50));
    throw unavailable('the store is away');
  });
}

const allow = (browser: Browser, page: Page) => browser.submit(page, { decision: 'allow' });
const answered = ({ status, url, headers }: Page) => [status, url.searchParams.has('code'), headers.has('retry-after')];

it.each(['Interaction', 'Session'])('nobody goes on to consent before their %s is written', async (kind) => {
  const browser = new Browser(gatehouse.issuer);
  const person = await gatehouse.person();
  const page = await begin(rp, browser);
  stopWriting(kind);
  expect(answered(await enterPassword(browser, page, person))).toEqual([503, false, true]);
  vi.restoreAllMocks();
  const again = await enterPassword(browser, await begin(rp, browser), person);
  expect((await allow(browser, again)).url.searchParams.has('code')).toBe(true);
});

it.each(['AuthorizationCode', 'FinishedAuthorization'])('no code is given before its %s is written', async (kind) => {
  const browser = new Browser(gatehouse.issuer);
  const person = await gatehouse.person();
  const page = await beginConsent(rp, browser, person);
  stopWriting(kind);
  expect(answered(await allow(browser, page))).toEqual([503, false, true]);
  vi.restoreAllMocks();
  // What was allowed is remembered: nothing is asked again.
  expect((await begin(rp, browser)).url.searchParams.has('code')).toBe(true);
});

it('where the end of a sign-in page could not be written, the same address goes on once it can', async () => {
  const browser = new Browser(gatehouse.issuer);
  const person = await gatehouse.person();
  const page = await beginConsent(rp, browser, person);
  const consume = vi.spyOn(gatehouse.storage.protocol, 'consume').mockRejectedValue(unavailable('the store is away'));
  const refused = await allow(browser, page);
  expect(answered(refused)).toEqual([503, false, true]);
  expect(refused.headers.has('location')).toBe(false);
  expect(consume).toHaveBeenCalled();
  vi.restoreAllMocks();
  expect((await browser.open(refused.url)).url.searchParams.has('code')).toBe(true);
});
