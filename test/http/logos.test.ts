import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchUntrusted } from '../../src/http/fetch-untrusted.ts';
import { startGatehouse } from '../support/gatehouse.ts';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const KINDS: Record<string, { type: string; body: Buffer | string }> = {
  '/logo.png': { type: 'image/png', body: PNG },
  '/logo.svg': { type: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg"/>' },
  '/page.html': { type: 'text/html', body: '<script>alert(1)</script>' },
  '/huge.png': { type: 'image/png', body: Buffer.alloc(300 * 1024) },
};

describe('the logo of an app', () => {
  let server: Server;
  let origin: string;
  const asked: string[] = [];
  beforeAll(async () => {
    server = createServer((req, res) => {
      asked.push(req.url!);
      const kind = KINDS[req.url!];
      if (kind) res.writeHead(200, { 'content-type': kind.type }).end(kind.body);
      else if (req.url === '/moved.png') res.writeHead(302, { location: '/logo.png' }).end();
      else res.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  async function logo(name: string, env: Record<string, string>) {
    const gatehouse = await startGatehouse(env);
    const { client_id } = await gatehouse.app({ logo_uri: origin + name });
    const responses = [
      await fetch(`${gatehouse.issuer}/logos/${client_id}`),
      await fetch(`${gatehouse.issuer}/logos/${client_id}`),
    ];
    await gatehouse.stop();
    return responses[1]!;
  }
  const allowed = { GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' };

  it('is fetched once and served by us', async () => {
    const response = await logo('/logo.png', allowed);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(PNG);
    expect(asked.filter((path) => path === '/logo.png')).toHaveLength(1);
  });

  it.each(['/logo.svg', '/page.html', '/huge.png', '/missing.png', '/moved.png'])(
    'is not served when it is %s',
    async (name) => {
      expect((await logo(name, allowed)).status).toBe(404);
    },
  );

  it('is never fetched from our own network', async () => {
    expect((await logo('/logo.png?private', {})).status).toBe(404);
    expect(asked).not.toContain('/logo.png?private');
  });
});

describe('what others name', () => {
  const limits = { maxBytes: 1000, allowPrivate: false };

  it.each([
    'https://127.0.0.1/',
    'https://10.0.0.1/',
    'https://[::1]/',
    'https://169.254.169.254/',
    'https://[::ffff:127.0.0.1]/',
    'https://0.0.0.0/',
    'https://2130706433/',
  ])('%s is not fetched: it is a private address', async (url) => {
    await expect(fetchUntrusted(url, limits)).rejects.toThrow('not a public address');
  });

  it('is not fetched by a public name of a private address', async () => {
    const error = await fetchUntrusted('https://localhost/', limits).catch((reason: unknown) => reason as Error);
    expect(String((error as Error & { cause?: Error }).cause?.message)).toContain('not a public address');
  });

  it('is not fetched without TLS', async () => {
    await expect(fetchUntrusted('http://example.com/', limits)).rejects.toThrow('only https');
  });
});
