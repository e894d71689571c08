/** Providers that are slow, too large, or point to where nobody should be sent. */
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createProviders } from '../../src/federation/providers.ts';
import { partnerFetch } from '../../src/http/fetch-partner.ts';
import { MEASURED } from '../support/timing.ts';

describe('a provider', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function serve(handle: (origin: string) => RequestListener): Promise<string> {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    server.on('request', handle(origin));
    return origin;
  }

  function begin(issuer: string, deadlineMs = 5000) {
    const providers = createProviders({
      settings: () => ({
        acme: {
          type: 'oidc',
          issuer,
          client_id: 'a',
          client_secret: 'b',
          scopes: ['openid'],
          trust_email: true,
          trust_amr: false,
          refresh: [],
        },
      }),
      issuer: 'http://localhost:1',
      createAccounts: () => true,
      fetch: (url, init) => partnerFetch({ origins: [issuer], allowPrivate: false }, url, init),
      limits: { deadlineMs, discoveryLife: 3600 },
    });
    return providers.find('acme')!.begin({ fresh: false, select_account: false });
  }
  const document = (origin: string, more: object = {}) =>
    JSON.stringify({ issuer: origin, authorization_endpoint: `${origin}/authorize`, ...more });

  it('that never answers is given up in time', MEASURED, async () => {
    const issuer = await serve(() => () => undefined);
    const started = performance.now();
    await expect(begin(issuer, 200)).rejects.toMatchObject({ problem: 'unavailable', detail: 'OAUTH_TIMEOUT' });
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('that answers without end is cut off', async () => {
    const issuer = await serve(() => (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' }).end(`{"x":"${'y'.repeat(1_100_000)}"}`);
    });
    await expect(begin(issuer)).rejects.toMatchObject({ name: 'UpstreamError' });
  });

  it('that is not who it should be is refused, and so is one that leads to another kind of address', async () => {
    const other = await serve(() => (_req, res) => {
      res.setHeader('content-type', 'application/json').end(document('http://localhost:2'));
    });
    await expect(begin(other)).rejects.toMatchObject({ problem: 'refused' });
    const script = await serve((origin) => (_req, res) => {
      const more = { authorization_endpoint: 'javascript:alert(1)' };
      res.setHeader('content-type', 'application/json').end(document(origin, more));
    });
    await expect(begin(script)).rejects.toMatchObject({ name: 'UpstreamError' });
  });

  it('is not followed to other addresses inside the network', async () => {
    const issuer = await serve(() => (_req, res) => void res.writeHead(302, { location: 'http://10.0.0.1/' }).end());
    await expect(begin(issuer)).rejects.toMatchObject({ name: 'UpstreamError' });
    const limits = { origins: [issuer], allowPrivate: false };
    const request = { method: 'GET', headers: {} };
    for (const url of ['http://127.0.0.1:1/', 'https://10.0.0.1/', 'https://[::1]/', 'http://example.com/'])
      await expect(partnerFetch(limits, url, request)).rejects.toThrow('is not a public https address');
  });
});
