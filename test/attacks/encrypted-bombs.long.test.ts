/** JWTs that are small on the wire and large once unpacked, wherever one is taken (CVE-2024-33664, CVE-2023-51774; RFC 8725, section 3.6). */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { CompactEncrypt, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN_EXCHANGE } from '../../src/clients/protocol.ts';
import { answer, basic } from '../support/endpoints.ts';
import type { Answer } from '../support/endpoints.ts';
import { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { ACCESS_TOKEN } from '../support/token-exchange.ts';

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const UNPACKED = 200 * 1024 * 1024;

describe('a compressed bomb (JWE with zip)', () => {
  let gatehouse: Running;
  let app: Awaited<ReturnType<Running['app']>>;
  let bombs: string[];
  let packed: Buffer;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    app = await gatehouse.app({ first_party: true });
    packed = deflateRawSync(Buffer.alloc(UNPACKED, 'a'), { level: 9 });
    // The provider's own public key, in case anything would be decrypted with its private half.
    const { keys } = (await (await fetch(`${gatehouse.issuer}/jwks`)).json()) as {
      keys: { kid: string; alg: string }[];
    };
    const rsa = keys.find(({ alg }) => alg === 'RS256')!;
    const own = await new CompactEncrypt(packed.subarray(0, 20_000))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: rsa.kid, cty: 'JWT' })
      .encrypt(await importJWK({ ...rsa, alg: 'RSA-OAEP-256' } as never));
    const [, ...rest] = own.split('.');
    const withZip = (header: object) => [part({ zip: 'DEF', ...header }), ...rest].join('.');
    bombs = [
      withZip({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: rsa.kid }),
      withZip({ alg: 'dir', enc: 'A256GCM' }),
      withZip({ alg: 'ECDH-ES', enc: 'A256GCM', epk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } }),
      withZip({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2_000_000_000, p2s: 'AAAAAAAAAAA' }),
      // A signed one whose header asks for unpacking.
      `${part({ alg: 'RS256', zip: 'DEF', kid: rsa.kid })}.${packed.subarray(0, 4000).toString('base64url')}.AA`,
    ];
  });
  afterAll(() => gatehouse.stop());

  const post = async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    answer(await fetch(gatehouse.issuer + path, { method: 'POST', body: new URLSearchParams(fields), headers }));
  const own = () => basic(app.client_id, app.client_secret!);

  const WAYS: Record<string, (bomb: string) => Promise<Pick<Answer, 'status' | 'text'>>> = {
    'a client assertion': (client_assertion) =>
      post('/token', {
        grant_type: 'client_credentials',
        client_assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_id: app.client_id,
      }),
    'an id_token_hint at the authorization endpoint': (id_token_hint) =>
      new Browser(gatehouse.issuer).open(
        `/auth?${new URLSearchParams({
          client_id: app.client_id,
          redirect_uri: app.redirect_uri,
          response_type: 'code',
          scope: 'openid',
          code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
          code_challenge_method: 'S256',
          prompt: 'none',
          id_token_hint,
        }).toString()}`,
      ),
    'an id_token_hint at log-out': (id_token_hint) =>
      new Browser(gatehouse.issuer).open(`/session/end?${new URLSearchParams({ id_token_hint }).toString()}`),
    'a pushed request object': (request) => post('/request', { request }, own()),
    'a token to introspect': (token) => post('/token/introspection', { token }, own()),
    'a token to revoke': (token) => post('/token/revocation', { token }, own()),
    'a token to exchange': (subject_token) =>
      post('/token', { grant_type: TOKEN_EXCHANGE, subject_token, subject_token_type: ACCESS_TOKEN }, own()),
    'a refresh token': (refresh_token) => post('/token', { grant_type: 'refresh_token', refresh_token }, own()),
    'a code': (code) =>
      post(
        '/token',
        { grant_type: 'authorization_code', code, redirect_uri: app.redirect_uri, code_verifier: 'a'.repeat(43) },
        own(),
      ),
    'an access token at userinfo': async (token) =>
      answer(await fetch(`${gatehouse.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })),
    'a token for the admin API': async (token) =>
      answer(await fetch(`${gatehouse.issuer}/admin/api/v1/users`, { headers: { authorization: `Bearer ${token}` } })),
    'a DPoP proof': (DPoP) => post('/token', { grant_type: 'client_credentials' }, { ...own(), DPoP }),
  };

  it.each(Object.keys(WAYS))('as %s is neither unpacked nor a failure', async (way) => {
    for (const bomb of bombs) {
      const before = process.memoryUsage().rss;
      const { status, text } = await WAYS[way]!(bomb);
      expect(status).toBeLessThan(500);
      expect(text).not.toMatch(/"access_token"|"active":true/);
      expect(process.memoryUsage().rss - before).toBeLessThan(UNPACKED / 2);
    }
  });

  it('made with the secret that a client shares with us is not unpacked either', async () => {
    const { client_id, client_secret, redirect_uri } = await gatehouse.app({
      protocol: { token_endpoint_auth_method: 'client_secret_jwt' },
    });
    const key = createHash('sha256').update(client_secret!).digest();
    const header = part({ alg: 'dir', enc: 'A256GCM', zip: 'DEF', cty: 'JWT' });
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(header));
    const sealed = Buffer.concat([cipher.update(packed.subarray(0, 20_000)), cipher.final()]);
    const bomb = [header, '', ...[iv, sealed, cipher.getAuthTag()].map((one) => one.toString('base64url'))].join('.');
    const before = process.memoryUsage().rss;
    const fields = { client_id, redirect_uri, response_type: 'code', scope: 'openid', request: bomb };
    const assertion = await new SignJWT({ jti: randomBytes(8).toString('hex') })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(client_id)
      .setSubject(client_id)
      .setAudience(gatehouse.issuer)
      .setExpirationTime('1m')
      .sign(Buffer.from(client_secret!));
    const { status, body } = await post('/request', {
      ...fields,
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    expect([status, body['error']]).toEqual([400, 'invalid_request_object']);
    expect(process.memoryUsage().rss - before).toBeLessThan(UNPACKED / 2);
  });
});
