import { once } from 'node:events';
import { connect } from 'node:tls';
import * as oidc from 'openid-client';
import { X509Certificate } from 'node:crypto';
import { Agent, fetch as undiciFetch } from 'undici';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asFile, clientCert, makeCertificate } from '../support/certificates.ts';
import type { Made } from '../support/certificates.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize } from '../support/journey.ts';
import type { App } from '../support/journey.ts';
import { freePort } from '../support/ports.ts';
import { relyingParty } from '../support/relying-party.ts';

const thumbprint = ({ pem }: Made) =>
  Buffer.from(new X509Certificate(pem).fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');

describe('mutual TLS behind a proxy (RFC 8705)', () => {
  let gatehouse: Running;
  let authority: Made;
  beforeAll(async () => {
    authority = await makeCertificate({ subject: 'CN=Authority', authority: true });
    gatehouse = await startGatehouse({
      GATEHOUSE_MTLS_ENABLED: 'true',
      GATEHOUSE_MTLS_CERTIFICATE_HEADER: 'Client-Cert',
      GATEHOUSE_MTLS_CERTIFICATE_AUTHORITIES_FILE: asFile(authority.pem),
      GATEHOUSE_MTLS_ORIGIN: 'https://mtls.example',
      GATEHOUSE_TRUSTED_PROXIES: 'loopback',
    });
  });
  afterAll(() => gatehouse.stop());

  /** What the proxy in front does with a connection that has this certificate. */
  const withCertificate =
    (header: string) =>
    (config: oidc.Configuration): void => {
      config[oidc.customFetch] = (url, { headers, ...options }) =>
        fetch(url.replace('https://mtls.example', gatehouse.issuer), {
          ...(options as RequestInit),
          headers: { ...headers, 'client-cert': header },
        });
    };
  const connecting = (app: App, certificate: Made, header = clientCert(certificate)) =>
    relyingParty(gatehouse, app, { auth: oidc.TlsClientAuth(), execute: [withCertificate(header)] });

  const service = (protocol: object) => gatehouse.app({ type: 'service', protocol });

  it.each<[string, object, Parameters<typeof makeCertificate>[0]]>([
    [
      'subject',
      { tls_client_auth_subject_dn: 'CN=client.example,O=Example\\, Inc.,C=DE' },
      { subject: 'C=DE, O="Example, Inc.", CN=client.example' },
    ],
    ['name', { tls_client_auth_san_dns: 'client.example' }, { names: [{ type: 'dns', value: 'client.example' }] }],
    [
      'URI',
      { tls_client_auth_san_uri: 'https://client.example/a,b' },
      { names: [{ type: 'url', value: 'https://client.example/a,b' }] },
    ],
    ['address', { tls_client_auth_san_ip: '2001:db8::1' }, { names: [{ type: 'ip', value: '2001:0db8:0:0::1' }] }],
    [
      'e-mail',
      { tls_client_auth_san_email: 'ops@client.example' },
      { names: [{ type: 'email', value: 'ops@client.example' }] },
    ],
  ])('a client is known by the %s in a certificate of an authority', async (_what, registered, wishes) => {
    const app = await service({ token_endpoint_auth_method: 'tls_client_auth', ...registered });
    const certificate = await makeCertificate({ issuer: authority, ...wishes });
    const rp = await connecting(app, certificate);
    expect((await oidc.clientCredentialsGrant(rp.config)).access_token).toBeTypeOf('string');
  });

  it('a client is known by a certificate of its own making', async () => {
    const own = await makeCertificate();
    const app = await service({ token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [own.jwk] } });
    const rp = await connecting(app, own);
    expect((await oidc.clientCredentialsGrant(rp.config)).access_token).toBeTypeOf('string');
  });

  it('the proxy may pass the certificate on as percent-encoded PEM', async () => {
    const own = await makeCertificate();
    const app = await service({ token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [own.jwk] } });
    const rp = await connecting(app, own, encodeURIComponent(own.pem));
    expect((await oidc.clientCredentialsGrant(rp.config)).access_token).toBeTypeOf('string');
  });

  it('tokens are bound to the certificate, from the code to the API', async () => {
    const own = await makeCertificate();
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const app = await gatehouse.app({
      protocol: {
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        jwks: { keys: [own.jwk] },
        tls_client_certificate_bound_access_tokens: true,
      },
    });
    const person = await gatehouse.person();
    const rp = await connecting(app, own);
    const { callback, checks } = await authorize(rp, person, { scope: 'openid email offline_access' });
    const tokens = await rp.redeem(callback, checks);
    expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(401);
    const held = await userinfo(gatehouse, tokens.access_token, { 'client-cert': clientCert(own) });
    expect(held.body).toMatchObject({ email: person.email });
    const other = await makeCertificate();
    expect((await userinfo(gatehouse, tokens.access_token, { 'client-cert': clientCert(other) })).status).toBe(401);

    const cnf = { 'x5t#S256': thumbprint(own) };
    const refreshed = await oidc.refreshTokenGrant(rp.config, tokens.refresh_token!);
    expect(refreshed.access_token).toBeTypeOf('string');
    const forApi = await authorize(rp, person, { resource: api.resource! });
    const { access_token } = await rp.redeem(forApi.callback, forApi.checks);
    expect(decodeJwt(access_token)['cnf']).toEqual(cnf);
    expect((await as(gatehouse, api).introspect(access_token)).body).toMatchObject({ cnf, token_type: 'Bearer' });
  });

  it('is told of in the metadata, with the address to go to', async () => {
    const metadata = (await (await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >;
    expect(metadata['tls_client_certificate_bound_access_tokens']).toBe(true);
    expect(metadata['token_endpoint_auth_methods_supported']).toEqual(
      expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth']),
    );
    expect(metadata['mtls_endpoint_aliases']).toMatchObject({ token_endpoint: 'https://mtls.example/token' });
  });

  it.each<[string, (authority: Made) => Promise<Made>]>([
    [
      'of another authority with the same name',
      async () => {
        const other = await makeCertificate({ subject: 'CN=Authority', authority: true });
        return makeCertificate({ issuer: other });
      },
    ],
    ['that names itself only', () => makeCertificate()],
    ['that has run out', (issuer) => makeCertificate({ issuer, from: -3, to: -1 })],
    ['that is not valid yet', (issuer) => makeCertificate({ issuer, from: 1, to: 2 })],
    ['for servers', (issuer) => makeCertificate({ issuer, purposes: ['1.3.6.1.5.5.7.3.1'] })],
    ['of another subject', (issuer) => makeCertificate({ issuer, subject: 'CN=other.example' })],
    ['whose subject has more', (issuer) => makeCertificate({ issuer, subject: 'O=x, CN=client.example' })],
    [
      'whose name contains the registered one',
      (issuer) => makeCertificate({ issuer, subject: 'CN="client.example, O=x"' }),
    ],
    ['issued by a client', async (issuer) => makeCertificate({ issuer: await makeCertificate({ issuer }) })],
  ])('a certificate %s is refused (RFC 8705, section 2.1)', async (_what, make) => {
    const app = await service({
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=client.example',
    });
    const rp = await connecting(app, await make(authority));
    await expect(oidc.clientCredentialsGrant(rp.config)).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it.each([
    ['an alternative name that holds another (CVE-2021-44532)', 'x.example, DNS:client.example'],
    ['a name below it', 'www.client.example'],
  ])('%s does not stand for the registered one', async (_what, value) => {
    const app = await service({
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: 'client.example',
    });
    const rp = await connecting(app, await makeCertificate({ issuer: authority, names: [{ type: 'url', value }] }));
    await expect(oidc.clientCredentialsGrant(rp.config)).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it.each(['', 'nonsense', ':AAAA:', '%', 'a'.repeat(14_000)])(
    'a header of %.20s… is no certificate',
    async (header) => {
      const own = await makeCertificate();
      const app = await service({
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        jwks: { keys: [own.jwk] },
      });
      const rp = await connecting(app, own, header);
      await expect(oidc.clientCredentialsGrant(rp.config)).rejects.toMatchObject({
        status: expect.any(Number) as number,
      });
    },
  );
});

it('the header of whoever is no proxy of ours is nothing (RFC 9440, section 4)', async () => {
  const gatehouse = await startGatehouse({
    GATEHOUSE_MTLS_ENABLED: 'true',
    GATEHOUSE_MTLS_CERTIFICATE_HEADER: 'Client-Cert',
    GATEHOUSE_TRUSTED_PROXIES: '192.0.2.1',
  });
  const own = await makeCertificate();
  const app = await gatehouse.app({
    type: 'service',
    protocol: { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [own.jwk] } },
  });
  const response = await fetch(`${gatehouse.issuer}/token`, {
    method: 'POST',
    headers: { 'client-cert': clientCert(own) },
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: app.client_id }),
  });
  expect(response.status).toBe(401);
  await gatehouse.stop();
});

it('our own TLS: a client connects with its certificate, and nobody else can be it', async () => {
  const server = await makeCertificate({ subject: 'CN=localhost', names: [{ type: 'dns', value: 'localhost' }] });
  const port = await freePort();
  const issuer = `https://localhost:${port}`;
  const gatehouse = await startGatehouse(
    {
      GATEHOUSE_ISSUER: issuer,
      GATEHOUSE_MTLS_ENABLED: 'true',
      GATEHOUSE_TLS_CERTIFICATE_FILE: asFile(server.pem),
      GATEHOUSE_TLS_KEY_FILE: asFile(server.keyPem),
    },
    '',
    port,
  );
  const own = await makeCertificate();
  const app = await gatehouse.app({
    type: 'service',
    protocol: { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [own.jwk] } },
  });
  async function token(certificate: Made | undefined) {
    const mine = certificate && { cert: certificate.pem, key: certificate.keyPem };
    const dispatcher = new Agent({ connect: { ca: server.pem, ...mine } });
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: app.client_id }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'client-cert': clientCert(own) };
    const response = await undiciFetch(`${issuer}/token`, { method: 'POST', body, headers, dispatcher });
    await response.arrayBuffer();
    await dispatcher.close();
    return response.status;
  }
  /** What is agreed on by somebody who knows this cipher alone; undefined where nothing is. */
  async function agreed(ciphers: string, version: 'TLSv1.2' | 'TLSv1.3') {
    const socket = connect({
      port,
      host: 'localhost',
      ca: server.pem,
      ciphers,
      minVersion: version,
      maxVersion: version,
    });
    const done = once(socket, 'secureConnect').then(
      () => socket.getCipher().name,
      () => undefined,
    );
    const name = await done;
    socket.destroy();
    return name;
  }
  expect(await token(own)).toBe(200);
  expect(await token(undefined)).toBe(401);
  expect(await token(await makeCertificate())).toBe(401);
  // RFC 9325, section 4.2; FAPI 2.0 Security Profile, section 5.2.2.
  const kind = server.jwk.kty === 'RSA' ? 'RSA' : 'ECDSA';
  expect(await agreed(`ECDHE-${kind}-AES128-GCM-SHA256`, 'TLSv1.2')).toBe(`ECDHE-${kind}-AES128-GCM-SHA256`);
  for (const weak of [`ECDHE-${kind}-AES128-SHA256`, `ECDHE-${kind}-AES256-SHA`, 'AES128-GCM-SHA256'])
    expect([weak, await agreed(weak, 'TLSv1.2')]).toEqual([weak, undefined]);
  expect(await agreed('TLS_AES_128_GCM_SHA256', 'TLSv1.3')).toBe('TLS_AES_128_GCM_SHA256');
  await gatehouse.stop();
});

it('where mutual TLS is off, clients that need it are refused rather than served without', async () => {
  const gatehouse = await startGatehouse();
  const { jwk } = await makeCertificate();
  for (const [protocol, field] of [
    [
      { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [jwk] } },
      'token_endpoint_auth_method',
    ],
    [{ tls_client_certificate_bound_access_tokens: true }, 'tls_client_certificate_bound_access_tokens'],
  ] as const)
    await expect(gatehouse.app({ protocol } as never)).rejects.toMatchObject({ field });
  await gatehouse.stop();
});
