/** What is there for the conformance suite does not reach production. */
import { describe, expect, it } from 'vitest';
import type { ConfigError } from '../../src/config/error.ts';
import { loadConfig } from '../../src/config/load.ts';
import { CONFORMANCE_FILE, startForConformance } from '../support/conformance.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import { Browser } from '../support/browser.ts';
import { relyingParty } from '../support/relying-party.ts';

const PRODUCTION = {
  NODE_ENV: 'production',
  GATEHOUSE_ISSUER: 'https://id.example',
  GATEHOUSE_SECRETS_ENCRYPTION_KEY: Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7)).toString('base64'),
  GATEHOUSE_SECRETS_COOKIE_KEYS: 'Zp3x-9aQ1bT7-kLm2nVw8-rXy4zUc6-dEf',
};

const problems = (env: Record<string, string>): string[] => {
  try {
    loadConfig({ ...PRODUCTION, ...env });
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
};

describe('the rules that the conformance file loosens', () => {
  it('are refused in production, each by its name', () => {
    const found = problems({ GATEHOUSE_CONFIG: CONFORMANCE_FILE });
    for (const key of [
      'demo.enabled',
      'oauth.response_types',
      'oauth.require_pkce',
      'oauth.request_uri',
      'registration.mode',
    ])
      expect(found.filter((problem) => problem.startsWith(key))).toHaveLength(1);
    expect(problems({})).toEqual([]);
    expect(problems({ GATEHOUSE_REGISTRATION_MODE: 'open' })).toEqual([]);
    for (const type of ['id_token', 'code id_token', 'code token'])
      expect(problems({ GATEHOUSE_OAUTH_RESPONSE_TYPES: `[code, ${type}]` })).toHaveLength(1);
  });

  it('are said loudly at each start elsewhere', async () => {
    const gatehouse = await startForConformance();
    const warned = gatehouse.logged.filter(({ msg }) => String(msg).startsWith('for tests only:'));
    await gatehouse.stop();
    expect(warned).toHaveLength(4);
  });

  it('are not there by default', async () => {
    const gatehouse = await startGatehouse();
    try {
      const rp = await relyingParty(gatehouse, await gatehouse.app());
      const { url } = await rp.request();
      const error = async (change: (query: URLSearchParams) => void) => {
        const asked = new URL(url);
        change(asked.searchParams);
        const page = await new Browser(gatehouse.issuer).open(asked);
        return new URLSearchParams(page.url.hash.slice(1) || page.url.search).get('error');
      };
      expect(await error((query) => query.delete('code_challenge'))).toBe('invalid_request');
      for (const type of ['id_token', 'token', 'code id_token', 'code token', 'id_token token'])
        expect(await error((query) => query.set('response_type', type))).toBe('unsupported_response_type');
      await expect(
        gatehouse.app({ protocol: { grant_types: ['authorization_code', 'implicit'], response_types: ['id_token'] } }),
      ).resolves.toBeDefined();
    } finally {
      await gatehouse.stop();
    }
  });
});
