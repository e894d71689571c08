import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { afterAll, expect, it } from 'vitest';
import { plainContexts } from '../../src/oidc/library-contexts.ts';
import { programEndpoints } from '../../src/oidc/program-endpoints.ts';

const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const issuer = `${origin}/sso`;
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'job',
      client_secret: 'secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: false },
  },
});
plainContexts(provider);
const checked: IncomingMessage['headers'][] = [];
const handle = programEndpoints({
  answerPlainly: async () => false,
  provider,
  issuer,
  check: (headers) => checked.push(headers),
  headers: [['X-Content-Type-Options', 'nosniff']],
});
server.on('request', (req, res) => {
  if (!handle(req, res)) res.writeHead(404).end('for people');
});
afterAll(() => void server.close());

const token = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      Authorization: `Basic ${Buffer.from('job:secret').toString('base64')}`,
      ...headers,
    },
    body,
  });

it('answers below the path of the issuer, with the headers of every answer', async () => {
  const response = await token('grant_type=client_credentials');
  expect(response.status).toBe(200);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(checked).toHaveLength(1);
  const metadata = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<string, string>;
  expect(metadata['token_endpoint']).toBe(`${issuer}/token`);
});

it('leaves to others what people ask for', async () => {
  expect((await fetch(`${issuer}/jwks`, { headers: { accept: 'text/html' } })).status).toBe(404);
  expect((await fetch(`${origin}/token`, { method: 'POST' })).status).toBe(404);
  expect((await fetch(`${issuer}/auth`)).status).toBe(404);
});

it("keeps what the library knows of a request as a plain value, and the language's own way of defining for all else", async () => {
  const own = Object.defineProperty;
  const seen = new Promise<KoaContextWithOIDC>((resolve) => provider.once('grant.success', resolve));
  await (await token('grant_type=client_credentials')).text();
  const ctx = await seen;
  expect(Object.getOwnPropertyDescriptor(ctx, 'oidc')?.value).toBe(ctx.oidc);
  expect(ctx.oidc.client?.clientId).toBe('job');
  expect((await fetch(`${issuer}/nowhere`)).status).toBe(404);
  expect(Object.defineProperty).toBe(own);
});

it('refuses a body that is too long, in one piece and in many', async () => {
  const long = `grant_type=client_credentials&filling=${'x'.repeat(100_000)}`;
  const refused = { error: 'invalid_request', error_description: 'failed to parse the request body' };
  expect(await (await token(long)).json()).toEqual(refused);
  const pieces = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 100; i += 1)
        controller.enqueue(new TextEncoder().encode(long.slice(i * 1000, (i + 1) * 1000)));
      controller.close();
    },
  });
  const { headers } = new Request(origin, { headers: { Authorization: `Basic ${btoa('job:secret')}` } });
  headers.set('Content-Type', 'application/x-www-form-urlencoded');
  const inPieces = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers,
    body: pieces,
    duplex: 'half',
  });
  expect(await inPieces.json()).toEqual(refused);
});

it('takes an empty body, and a body of many pieces', async () => {
  expect(await (await token('')).json()).toMatchObject({ error: 'invalid_request' });
  const pieces = new ReadableStream({
    start(controller) {
      for (const piece of ['grant_', 'type=client', '_credentials'])
        controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Authorization: `Basic ${btoa('job:secret')}` };
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers,
    body: pieces,
    duplex: 'half',
  });
  expect(response.status).toBe(200);
});
