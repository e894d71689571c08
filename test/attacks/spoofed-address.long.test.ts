/** Pretending to come from elsewhere, to get tries that others have left. */
import { afterEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const MOST = 5;
const LIMIT = { GATEHOUSE_LIMITS_PASSWORD_ADDRESS: String(MOST) };

describe('whoever lies about their address', () => {
  let gatehouse: Running;
  afterEach(() => gatehouse.stop());

  /** How many of ten guesses, each at another account and with headers of its own, are looked at. */
  async function lookedAt(headersOf: (index: number) => Record<string, string>): Promise<number> {
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(await relyingParty(gatehouse, await gatehouse.app()), browser);
    const plain = browser.headers;
    let count = 0;
    for (let index = 0; index < 10; index += 1) {
      browser.headers = { ...plain, ...headersOf(index) };
      const { status } = await browser.submit(page, { email: `${index}@example.com`, password: 'some guess' });
      if (status === 401) count += 1;
    }
    return count;
  }
  const warnings = () => gatehouse.logged.filter(({ setting }) => setting === 'trusted_proxies');

  it('by any header is not believed where no proxy is trusted, and the log names the setting once', async () => {
    gatehouse = await startGatehouse(LIMIT);
    const lies = (index: number) => ({
      'x-forwarded-for': `198.51.100.${index}`,
      'x-real-ip': `198.51.100.${index}`,
      'x-client-ip': `198.51.100.${index}`,
      'cf-connecting-ip': `198.51.100.${index}`,
      'true-client-ip': `198.51.100.${index}`,
      forwarded: `for=198.51.100.${index}`,
    });
    expect(await lookedAt(lies)).toBe(MOST);
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]!['msg']).toContain('GATEHOUSE_TRUSTED_PROXIES');
  });

  it.each([
    ['left of what the proxy wrote', (index: number) => `198.51.100.${index}, 203.0.113.9`],
    ['left of nonsense', (index: number) => `198.51.100.${index}, unknown, 127.0.0.1`],
    ['by something that is no address', (index: number) => `_hidden${index}`],
    ['by another address of one network', (index: number) => `2001:db8:0:7::${index + 1}`],
    ['by another spelling', (index: number) => ['203.0.113.7', '::ffff:203.0.113.7', '203.0.113.7:4711'][index % 3]!],
    ['by a long chain', (index: number) => `198.51.100.${index},${'127.0.0.1,'.repeat(60)}203.0.113.9`],
  ])('%s gains nothing behind a trusted proxy', async (_how, forwarded) => {
    gatehouse = await startGatehouse({ ...LIMIT, GATEHOUSE_TRUSTED_PROXIES: 'loopback' });
    expect(await lookedAt((index) => ({ 'x-forwarded-for': forwarded(index) }))).toBe(MOST);
    expect(warnings()).toEqual([]);
  });

  it('is told apart from people who do come from elsewhere', async () => {
    gatehouse = await startGatehouse({ ...LIMIT, GATEHOUSE_TRUSTED_PROXIES: 'loopback' });
    expect(await lookedAt((index) => ({ 'x-forwarded-for': `2001:db8:0:${index}::1` }))).toBe(10);
  });
});
