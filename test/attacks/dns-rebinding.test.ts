/** A name that leads outside when it is looked at, and inside when it is used (DNS rebinding; CWE-350, CWE-367). */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo, LookupFunction } from 'node:net';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { partnerFetch } from '../../src/http/fetch-partner.ts';
import { fetchUntrusted, postUntrusted } from '../../src/http/fetch-untrusted.ts';
import { Browser } from '../support/browser.ts';
import { clientKey } from '../support/client-keys.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

type Answer = { address: string; family: 4 | 6 }[];
/** Public by its form, and given to nobody: it is never connected to here. */
const OUTSIDE: Answer = [{ address: '3000::1', family: 6 }];

const { lookup } = dns;
let asked: string[] = [];

/** The resolver gives these answers for `rebind.example`, one after another, the last one ever after. */
function resolver(...answers: Answer[]): void {
  asked = [];
  const fake = (hostname: string, options: { all?: boolean }, callback: (...result: unknown[]) => void) => {
    if (!hostname.endsWith('rebind.example')) return lookup(hostname, options as never, callback as never);
    asked.push(hostname);
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    process.nextTick(() =>
      options.all ? callback(null, answer) : callback(null, answer[0]!.address, answer[0]!.family),
    );
  };
  Object.assign(dns, { lookup: fake });
  syncBuiltinESMExports();
}

const { connect } = tls;
let connecting: string[] = [];

/** Stops every connection when its address is settled, just before the first packet leaves. */
function stopBeforeConnecting(): void {
  connecting = [];
  const stopping = (options: tls.ConnectionOptions & { lookup: LookupFunction }) => {
    const settled: LookupFunction = (hostname, wishes, callback) =>
      options.lookup(hostname, wishes, (error, found) => {
        if (!error) connecting.push(...[found].flat().map((one) => (typeof one === 'string' ? one : one.address)));
        callback(error ?? new Error('stopped'), '');
      });
    return connect({ ...options, lookup: settled } as tls.ConnectionOptions);
  };
  Object.assign(tls, { connect: stopping });
}

function putBack(): void {
  Object.assign(dns, { lookup });
  Object.assign(tls, { connect });
  syncBuiltinESMExports();
}

const limits = { maxBytes: 1000, allowPrivate: false };
const WAYS: Record<string, (url: string) => Promise<string>> = {
  'a document or picture': async (url) => {
    await fetchUntrusted(url, limits);
    return 'fetched';
  },
  'a log-out token': async (url) => {
    const sent = await postUntrusted(url, { logout_token: 'x' }, limits);
    if ('problem' in sent) throw new Error(sent.problem);
    return 'sent';
  },
  'keys of a client': async (url) => {
    const request = { method: 'GET', headers: {}, signal: AbortSignal.timeout(1500) };
    await partnerFetch({ origins: [], allowPrivate: false }, url, request);
    return 'fetched';
  },
};

describe('a name that changes its mind', () => {
  let port: number;
  let connections = 0;
  const listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => listener.listen(0, '::', resolve));
    ({ port } = listener.address() as AddressInfo);
  });
  afterEach(putBack);
  afterAll(() => new Promise((resolve) => listener.close(resolve)));

  const url = (host = 'rebind.example') => `https://${host}:${port}/x`;

  describe.each(Object.entries(WAYS))('for %s', (_what, reach) => {
    it('is asked once, and the address that was checked is the one connected to', async () => {
      resolver(OUTSIDE, [{ address: '127.0.0.1', family: 4 }]);
      stopBeforeConnecting();
      await expect(reach(url())).rejects.toThrow();
      expect([asked.length, connecting]).toEqual([1, ['3000::1']]);
    });

    it.each([
      ['loopback', '127.0.0.1', 4],
      ['another loopback', '127.255.255.254', 4],
      ['this machine', '0.0.0.0', 4],
      ['private', '10.1.2.3', 4],
      ['private', '172.31.0.1', 4],
      ['private', '192.168.0.1', 4],
      ['link-local, where clouds tell secrets', '169.254.169.254', 4],
      ['carrier-grade NAT', '100.64.0.1', 4],
      ['multicast', '224.0.0.1', 4],
      ['broadcast', '255.255.255.255', 4],
      ['IPv6 loopback', '::1', 6],
      ['IPv6 unspecified', '::', 6],
      ['IPv4 in IPv6', '::ffff:127.0.0.1', 6],
      ['IPv4 in IPv6, in hexadecimal', '::ffff:7f00:1', 6],
      ['IPv6 link-local', 'fe80::1', 6],
      ['IPv6 unique local', 'fd00::1', 6],
      ['NAT64 of loopback', '64:ff9b::7f00:1', 6],
      ['6to4 of loopback', '2002:7f00:1::', 6],
      ['IPv4 in IPv6, as it was once written', '::7f00:1', 6],
      ['what is given to nobody', '4000::1', 6],
      ['documentation', '2001:db8::1', 6],
      ['Teredo', '2001:0:7f00:1::', 6],
    ] as const)('that leads to %s (%s) is not followed', async (_kind, address, family) => {
      resolver([{ address, family }]);
      await expect(reach(url())).rejects.toThrow();
      expect([asked.length, connections]).toEqual([1, 0]);
    });

    it('with one public address among private ones leads to none of those', async () => {
      resolver([{ address: '127.0.0.1', family: 4 }, ...OUTSIDE, { address: '::1', family: 6 }]);
      stopBeforeConnecting();
      await expect(reach(url())).rejects.toThrow();
      expect(connecting).toEqual(['3000::1']);
    });
  });

  it('leads inside where the operator opened private networks, so that the tests above test something', async () => {
    resolver([{ address: '127.0.0.1', family: 4 }]);
    await expect(fetchUntrusted(url(), { ...limits, allowPrivate: true })).rejects.toThrow();
    expect(connections).toBeGreaterThan(0);
    connections = 0;
  });
});

describe('an app known by a document', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_CLIENT_DOCUMENTS_MODE: 'open' });
  });
  afterEach(putBack);
  afterAll(() => gatehouse.stop());

  it('under a name that leads inside is refused, and the page does not tell what is there', async () => {
    resolver([{ address: '127.0.0.1', family: 4 }]);
    const query = new URLSearchParams({
      client_id: 'https://agents.rebind.example/client.json',
      response_type: 'code',
      redirect_uri: 'https://agents.rebind.example/cb',
    });
    const page = await new Browser(gatehouse.issuer).open(`/auth?${query.toString()}`);
    expect([page.status, new Set(asked)]).toEqual([400, new Set(['agents.rebind.example'])]);
    expect(page.text).not.toMatch(/127\.0|public address|ECONN/);
  });
});

describe('a request by reference, where such are fetched at all', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OAUTH_REQUEST_URI: 'true' });
  });
  afterEach(putBack);
  afterAll(() => gatehouse.stop());

  it('under a name that leads inside is not fetched, and nobody is told what is there', async () => {
    const request_uri = 'https://requests.rebind.example/r';
    const { client_id, redirect_uri } = await gatehouse.app({
      protocol: { jwks: (await clientKey('ES256')).jwks, request_uris: [request_uri] },
    });
    resolver([{ address: '127.0.0.1', family: 4 }]);
    const query = new URLSearchParams({ client_id, request_uri, redirect_uri, response_type: 'code', scope: 'openid' });
    const response = await fetch(`${gatehouse.issuer}/auth?${query.toString()}`, { redirect: 'manual' });
    expect([response.status < 500, asked]).toEqual([true, ['requests.rebind.example']]);
    expect((await response.text()) + (response.headers.get('location') ?? '')).not.toMatch(/127\.0|public|ECONN/);
  });
});
