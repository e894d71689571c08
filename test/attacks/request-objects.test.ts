import { createHmac, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import * as oidc from 'openid-client';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { JWTHeaderParameters } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { clientKey } from '../support/client-keys.ts';
import type { ClientKey } from '../support/client-keys.ts';
import { answer, basic } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize } from '../support/journey.ts';
import type { App } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const EVIL = 'https://evil.example/';
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

describe('a tampered request object (RFC 9101, section 10)', () => {
  let gatehouse: Running;
  let keys: ClientKey;
  let foreign: ClientKey;
  let app: App;
  let other: App;
  let rp: RelyingParty;
  let signedIn: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    [keys, foreign] = [await clientKey('RS256'), await clientKey('RS256')];
    app = await gatehouse.app({ first_party: true, protocol: { jwks: keys.jwks } });
    other = await gatehouse.app({ first_party: true, protocol: { jwks: foreign.jwks } });
    rp = await relyingParty(gatehouse, app);
    signedIn = new Browser(gatehouse.issuer);
    await authorize(rp, await gatehouse.person(), {}, signedIn);
  });
  afterAll(() => gatehouse.stop());

  async function usual(): Promise<Record<string, unknown>> {
    const { url } = await rp.request();
    const aud = gatehouse.issuer;
    return { ...Object.fromEntries(url.searchParams), iss: app.client_id, aud, iat: now(), exp: now() + 60 };
  }
  const signed = async (claims: object = {}, header: Partial<JWTHeaderParameters> = {}, key = keys.key) =>
    new SignJWT({ ...(await usual()), ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: keys.kid, typ: 'oauth-authz-req+jwt', ...header })
      .sign(key);
  const open = (request: string, fields: Record<string, string> = {}): Promise<Page> =>
    signedIn.open(`/auth?${new URLSearchParams({ client_id: app.client_id, request, ...fields }).toString()}`);
  async function refused(request: string, fields?: Record<string, string>): Promise<void> {
    const page = await open(request, fields);
    expect(page.url.searchParams.has('code')).toBe(false);
    expect(page.url.href).not.toContain('evil.example/?');
    expect(page.status).toBeLessThan(500);
  }
  const push = async (fields: Record<string, string>, pusher = app) =>
    answer(
      await fetch(`${gatehouse.issuer}/request`, {
        method: 'POST',
        headers: basic(pusher.client_id, pusher.client_secret!),
        body: new URLSearchParams(fields),
      }),
    );

  it('is told from the true one', async () => {
    expect((await open(await signed())).url.searchParams.has('code')).toBe(true);
  });

  it.each<[string, object]>([
    ['for another audience', { aud: EVIL }],
    ['of another issuer', { iss: EVIL }],
    ['that has run out', { exp: now() - 60 }],
    ['of another client', { client_id: 'somebody' }],
    ['that holds another request', { request: 'x' }],
    ['that points at another request', { request_uri: EVIL }],
    ['with an address that is not registered', { redirect_uri: EVIL }],
    ['without a challenge', { code_challenge: undefined }],
    ['with a plain challenge', { code_challenge_method: 'plain' }],
  ])('%s is refused', async (_what, claims) => {
    await refused(await signed(claims));
  });

  it('signed by another client is refused, whichever client it names', async () => {
    await refused(await signed({}, {}, foreign.key));
    await refused(await signed({ client_id: other.client_id, iss: other.client_id }, {}, foreign.key));
    await refused(await signed({ iss: other.client_id }, {}, foreign.key), { client_id: other.client_id });
  });

  it('pushed under another client’s name is refused (RFC 9126, section 2.1)', async () => {
    const request = await signed();
    expect((await push({ request }, other)).status).toBeGreaterThanOrEqual(400);
    expect((await push({ request, client_id: app.client_id }, other)).status).toBeGreaterThanOrEqual(400);
  });

  it('counts alone: what stands beside it in the address does not (RFC 9101, section 6.3)', async () => {
    const page = await open(await signed({ state: 'signed' }), {
      scope: 'openid phone',
      state: 'added',
      redirect_uri: EVIL,
    });
    expect(page.url.origin).toBe('https://app.example');
    expect(page.url.searchParams.get('state')).toBe('signed');
  });

  it.each(['none', 'None', 'NONE'])('signed with %s is refused (CVE-2015-9235)', async (alg) => {
    await refused(`${part({ alg })}.${part(await usual())}.`);
  });

  it.each(['HS256', 'HS384', 'HS512'])(
    'signed with %s by what everybody knows, or our store keeps, is refused (CVE-2016-5431)',
    async (alg) => {
      const publicKey = await importJWK(keys.jwks.keys[0]!, 'RS256', { extractable: true });
      const { secret_hash } = await gatehouse.clients.get(app.client_id);
      for (const secret of [await exportSPKI(publicKey as never), secret_hash!, app.client_id, '']) {
        const input = `${part({ alg })}.${part(await usual())}`;
        await refused(`${input}.${createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url')}`);
      }
    },
  );

  it.each(['../../../dev/null', '/proc/self/environ', "' UNION SELECT 1", 'https://evil.example/key'])(
    'whose kid is %j is refused (RFC 8725, section 3.10)',
    async (kid) => {
      const { privateKey } = await generateKeyPair('RS256');
      await refused(await signed({}, { kid }, privateKey));
    },
  );

  it('that brings its own key, or says where to get one, is refused (CVE-2018-0114)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    for (const header of [{ jwk }, { jku: EVIL }, { x5u: EVIL }, { jwk, kid: 'x' }])
      await refused(await signed({}, header, privateKey));
  });

  it('that is encrypted is refused, also one that would unpack to very much (RFC 8725, section 3.6; CVE-2024-33664)', async () => {
    const bomb = deflateRawSync(Buffer.alloc(10_000_000)).toString('base64url').slice(0, 4000);
    const random = () => randomBytes(16).toString('base64url');
    for (const header of [
      { alg: 'dir', enc: 'A256GCM', zip: 'DEF' },
      { alg: 'RSA-OAEP', enc: 'A128CBC-HS256', zip: 'DEF' },
      { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2_147_483_647, p2s: random() },
    ])
      await refused([part(header), random(), random(), bomb, random()].join('.'));
  });

  it.each(['x', 'a.b', 'a.b.c', 'e30.e30.', '%00', '{"alg":"none"}', `${part({ alg: 'RS256' })}.${part([1])}.AA`])(
    '%j is refused without a failure',
    async (request) => {
      await refused(request);
      expect(gatehouse.logged.filter((line) => Number(line['level']) >= 50)).toEqual([]);
    },
  );

  it('nested a thousand times is refused without a failure (RFC 8725, section 2.3)', async () => {
    const deep = Buffer.from(`${'{"a":'.repeat(700)}1${'}'.repeat(700)}`).toString('base64url');
    await refused(`${part({ alg: 'RS256' })}.${deep}.AA`);
  });

  it.each([
    'https://evil.example/r',
    'http://169.254.169.254/',
    'http://localhost:1/',
    'file:///etc/passwd',
    'urn:ietf:params:oauth:request_uri:made-up',
    'urn:ietf:params:oauth:request_uri:',
    'urn:x',
  ])('by the request_uri %s is refused and nothing is fetched (RFC 9101, section 10.4)', async (request_uri) => {
    const page = await signedIn.open(
      `/auth?${new URLSearchParams({ client_id: app.client_id, request_uri }).toString()}`,
    );
    expect(page.url.searchParams.has('code')).toBe(false);
    expect(page.status).toBeLessThan(500);
  });

  it('by a request_uri on this machine reaches nobody (RFC 9101, section 10.4.1)', async () => {
    let connections = 0;
    const listener = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const request_uri = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/request`;
    await signedIn.open(`/auth?${new URLSearchParams({ client_id: app.client_id, request_uri }).toString()}`);
    await push({ request_uri });
    expect(connections).toBe(0);
    await new Promise((resolve) => listener.close(resolve));
  });

  describe('a pushed request (RFC 9126, section 7)', () => {
    const pushed = async () => oidc.buildAuthorizationUrlWithPAR(rp.config, (await rp.request()).url.searchParams);

    it('is no use to another client', async () => {
      const url = await pushed();
      url.searchParams.set('client_id', other.client_id);
      const page = await signedIn.open(url);
      expect(page.url.searchParams.has('code')).toBe(false);
      url.searchParams.set('client_id', app.client_id);
      expect((await signedIn.open(url)).url.searchParams.has('code')).toBe(true);
    });

    it('is not changed by what stands beside it', async () => {
      const url = await pushed();
      url.searchParams.set('redirect_uri', EVIL);
      url.searchParams.set('scope', 'openid phone');
      expect((await signedIn.open(url)).url.origin).toBe('https://app.example');
    });

    it('is good once', async () => {
      const url = await pushed();
      expect((await signedIn.open(url)).url.searchParams.has('code')).toBe(true);
      const again = await signedIn.open(url);
      expect(again.url.searchParams.has('code')).toBe(false);
      expect(again.url.searchParams.get('error')).toBe('invalid_request_uri');
    });

    it('is taken from nobody without proof', async () => {
      const { url } = await rp.request();
      const body = url.searchParams;
      expect((await fetch(`${gatehouse.issuer}/request`, { method: 'POST', body })).status).toBeGreaterThanOrEqual(400);
      expect((await push({ request_uri: 'urn:ietf:params:oauth:request_uri:x' })).status).toBe(400);
    });
  });
});
