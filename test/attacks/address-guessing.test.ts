/** Guessing addresses that hold a secret: mailed links, and the `state` of a sign-in under way at an upstream. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Running } from '../support/gatehouse.ts';
import { atOnce } from '../support/journey.ts';
import { startWithUpstreams } from '../support/upstream.ts';

const MOST = 15;

describe('whoever guesses addresses', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startWithUpstreams(
      { google: { client_id: 'id', client_secret: 'secret' } },
      {
        GATEHOUSE_TRUSTED_PROXIES: 'loopback',
        GATEHOUSE_LIMITS_LINK_ADDRESS: String(MOST),
        GATEHOUSE_LIMITS_CALLBACK_ADDRESS: String(MOST),
      },
    );
  });
  afterAll(() => gatehouse.stop());

  const open = async (path: string, address: string) =>
    (
      await fetch(gatehouse.issuer + path, {
        redirect: 'manual',
        headers: { accept: 'text/html', 'x-forwarded-for': address },
      })
    ).status;
  const count = (statuses: number[], wanted: number) => statuses.filter((status) => status === wanted).length;

  it.each([
    ['mailed links', (index: number) => `/mailed/reset-password?token=guess-${index}`],
    ['answers of an upstream', (index: number) => `/federation/google/callback?code=x&state=guess-${index}`],
  ])('has few tries at %s from one address, also at the same instant', async (_what, path) => {
    const statuses = await atOnce(40, (index) => open(path(index), '198.51.100.5'));
    expect([count(statuses, 400), count(statuses, 429)]).toEqual([MOST, 40 - MOST]);
    expect(await open(path(99), '198.51.100.6')).toBe(400);
  });
});
