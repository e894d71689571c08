import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientKey, loopbackServer } from '../support/client-keys.ts';
import type { ClientKey } from '../support/client-keys.ts';
import { answer } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { startInside } from '../support/inside.ts';
import type { Inside } from '../support/inside.ts';

/** What a client with keys at `jwks_uri` gets for an assertion. */
async function tokenAnswer(gatehouse: Running, jwks_uri: string, { key, kid }: Pick<ClientKey, 'key' | 'kid'>) {
  const { client } = await gatehouse.clients.register({
    type: 'service',
    name: 'Curious',
    protocol: { token_endpoint_auth_method: 'private_key_jwt', jwks_uri },
  });
  const client_assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuer(client.id)
    .setSubject(client.id)
    .setAudience(gatehouse.issuer)
    .setExpirationTime('1m')
    .sign(key);
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion,
  });
  return answer(await fetch(`${gatehouse.issuer}/token`, { method: 'POST', body }));
}

const tokenStatus = async (...input: Parameters<typeof tokenAnswer>) => (await tokenAnswer(...input)).status;

/** Addresses that lead inside; `{port}` is one where somebody on this machine counts who comes. */
const INSIDE = [
  'https://127.0.0.1:{port}/jwks',
  'https://localhost:{port}/jwks',
  'https://LOCALHOST.:{port}/jwks',
  'https://127.1:{port}/jwks',
  'https://2130706433:{port}/jwks',
  'https://0x7f000001:{port}/jwks',
  'https://0177.0.0.1:{port}/jwks',
  'https://127.0.0.1.:{port}/jwks',
  'https://0.0.0.0:{port}/jwks',
  'https://[::1]:{port}/jwks',
  'https://[::]:{port}/jwks',
  'https://[::ffff:127.0.0.1]:{port}/jwks',
  'https://[::ffff:7f00:1]:{port}/jwks',
  'https://[0:0:0:0:0:0:0:1]:{port}/jwks',
  'https://[64:ff9b::7f00:1]:{port}/jwks',
  'https://[2002:7f00:1::]:{port}/jwks',
  'http://127.0.0.1:{port}/jwks',
  'http://localhost:{port}/jwks',
  'https://10.0.0.1/jwks',
  'https://172.16.0.1/jwks',
  'https://192.168.1.1/jwks',
  'https://100.64.0.1/jwks',
  'https://169.254.169.254/latest/meta-data',
  'https://[fe80::1]/jwks',
  'https://[fd00:ec2::254]/latest/meta-data',
  'https://[fec0::1]/jwks',
  'https://224.0.0.1/jwks',
  'https://255.255.255.255/jwks',
  'https://192.0.2.1/jwks',
];

describe('an address that a client names leads nowhere inside (OWASP SSRF; RFC 7591, section 5)', () => {
  let gatehouse: Running;
  let inside: Inside;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    inside = await startInside();
  });
  afterAll(async () => {
    await gatehouse.stop();
    await inside.stop();
  });

  it.each(INSIDE)('%s as jwks_uri', async (template) => {
    const jwks_uri = template.replace('{port}', String(inside.port));
    const { status, text } = await tokenAnswer(gatehouse, jwks_uri, await clientKey());
    expect([status >= 400 && status < 500, inside.connections()]).toEqual([true, 0]);
    // Nor does the answer tell what was found there.
    expect(text).not.toMatch(/ECONN|refused|127\.0|resolve/i);
  });

  it.each(INSIDE)('%s as sector_identifier_uri', async (template) => {
    const sector_identifier_uri = template.replace('{port}', String(inside.port));
    const app = await gatehouse.app({ protocol: { subject_type: 'pairwise', sector_identifier_uri } });
    const query = new URLSearchParams({
      client_id: app.client_id,
      response_type: 'code',
      scope: 'openid',
      redirect_uri: app.redirect_uri,
    });
    const response = await fetch(`${gatehouse.issuer}/auth?${query.toString()}`, { redirect: 'manual' });
    expect([response.headers.get('location'), inside.connections()]).toEqual([null, 0]);
    expect(response.status).toBeLessThan(500);
  });

  it.each([
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'data:application/json,{}',
    'http://example.com/',
    '//example.com',
    'https://user:secret@example.com/',
    'https://example.com/#x',
    'javascript:alert(1)',
    '',
  ])('%j is not even registered', async (uri) => {
    for (const protocol of [
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: uri },
      { sector_identifier_uri: uri },
    ] as const)
      await expect(gatehouse.app({ protocol })).rejects.toMatchObject({ code: 'invalid_input' });
  });
});

describe('an address of a request, where such are fetched at all, leads nowhere inside (RFC 9101, section 10.4.1)', () => {
  let gatehouse: Running;
  let inside: Inside;
  let jwks: ClientKey['jwks'];
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OAUTH_REQUEST_URI: 'true' });
    ({ jwks } = await clientKey('ES256'));
    inside = await startInside();
  });
  afterAll(async () => {
    await gatehouse.stop();
    await inside.stop();
  });

  it.each(INSIDE)('%s as request_uri', async (template) => {
    const request_uri = template.replace('{port}', String(inside.port));
    const { client_id } = await gatehouse.app({ protocol: { jwks, request_uris: [request_uri] } });
    const query = new URLSearchParams({ client_id, request_uri, response_type: 'code', scope: 'openid' });
    const response = await fetch(`${gatehouse.issuer}/auth?${query.toString()}`, { redirect: 'manual' });
    expect([response.status < 500, inside.connections()]).toEqual([true, 0]);
    expect((await response.text()) + (response.headers.get('location') ?? '')).not.toMatch(/ECONN|public/);
  });
});

describe('an address that answers with another one', () => {
  it('is not followed, not even where private networks are open (RFC 9101, section 10.4.1)', async () => {
    const gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    const { key, kid, jwks } = await clientKey();
    const target = await loopbackServer(() => ({ body: JSON.stringify(jwks) }));
    for (const status of [301, 302, 303, 307, 308]) {
      const site = await loopbackServer(() => ({ status, headers: { location: `${target.origin}/jwks` }, body: '' }));
      expect(await tokenStatus(gatehouse, `${site.origin}/jwks`, { key, kid })).toBeGreaterThanOrEqual(400);
      await site.stop();
    }
    expect(target.asked).toEqual([]);
    expect(await tokenStatus(gatehouse, `${target.origin}/jwks`, { key, kid })).toBe(200);
    await target.stop();
    await gatehouse.stop();
  });

  it.each([
    ['a hundred megabytes', () => 'x'.repeat(2_000_000)],
    [
      'more keys than anybody has',
      () => JSON.stringify({ keys: Array(5000).fill({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }) }),
    ],
    ['nested lists', () => `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['a page', () => '<html></html>'],
  ])('or with %s, is refused without a failure', async (_what, body) => {
    const gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    const site = await loopbackServer(() => ({ body: body() }));
    const { key, kid } = await clientKey();
    const status = await tokenStatus(gatehouse, `${site.origin}/jwks`, { key, kid });
    expect(status >= 400 && status < 500).toBe(true);
    await site.stop();
    await gatehouse.stop();
  });
});
