import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { JWTHeaderParameters } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientKey } from '../support/client-keys.ts';
import type { ClientKey } from '../support/client-keys.ts';
import { answer } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce } from '../support/journey.ts';
import type { App } from '../support/journey.ts';

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const MINUTE = 60;
const now = () => Math.floor(Date.now() / 1000);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a forged client assertion (RFC 7523, section 3; RFC 8725)', () => {
  let gatehouse: Running;
  let keys: ClientKey;
  let app: App;
  let other: App;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    keys = await clientKey('RS256');
    const registered = { token_endpoint_auth_method: 'private_key_jwt', jwks: keys.jwks } as const;
    app = await gatehouse.app({ type: 'service', protocol: registered });
    const stranger = { token_endpoint_auth_method: 'private_key_jwt', jwks: (await clientKey()).jwks } as const;
    other = await gatehouse.app({ type: 'service', protocol: stranger });
  });
  afterAll(() => gatehouse.stop());

  const usual = () => ({
    iss: app.client_id,
    sub: app.client_id,
    aud: gatehouse.issuer,
    iat: now(),
    exp: now() + MINUTE,
    jti: randomUUID(),
  });
  const signed = (claims: object = {}, header: Partial<JWTHeaderParameters> = {}, key = keys.key) =>
    new SignJWT({ ...usual(), ...claims }).setProtectedHeader({ alg: 'RS256', kid: keys.kid, ...header }).sign(key);
  const send = async (client_assertion: string, fields: Record<string, string> = {}) =>
    answer(
      await fetch(`${gatehouse.issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_assertion_type: TYPE,
          client_assertion,
          ...fields,
        }),
      }),
    );
  const refused = async (client_assertion: string, fields?: Record<string, string>) => {
    const { status, body } = await send(client_assertion, fields);
    expect([status === 400 || status === 401, body['access_token']]).toEqual([true, undefined]);
  };

  it('is told from the true one', async () => {
    expect((await send(await signed())).status).toBe(200);
  });

  it.each<[string, object]>([
    ['for another audience', { aud: 'https://evil.example' }],
    ['for an audience that only begins as ours', { aud: 'http://localhost:1/' }],
    ['for nobody', { aud: undefined }],
    ['without an end', { exp: undefined }],
    ['that has run out', { exp: now() - MINUTE }],
    ['that is not good yet', { nbf: now() + 10 * MINUTE }],
    ['without an id', { jti: undefined }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['about another client', { sub: 'somebody' }],
    ['about nobody', { sub: undefined }],
    ['with an end that is text', { exp: '9999999999' }],
    ['with an issuer that is a list', { iss: ['a', 'b'] }],
  ])('%s is refused', async (_what, claims) => {
    await refused(await signed(claims));
  });

  it('of another client stays that client’s', async () => {
    await refused(await signed(), { client_id: other.client_id });
    await refused(await signed({ iss: other.client_id, sub: other.client_id }));
  });

  it('is honoured once, however often and however close together it is sent (RFC 7523, section 3, item 7)', async () => {
    const assertion = await signed();
    const statuses = (await atOnce(20, () => send(assertion))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect((await send(assertion)).status).toBe(401);
  });

  it.each(['none', 'None', 'NONE', 'nOnE'])(
    'signed with %s is refused (RFC 8725, section 3.2; CVE-2015-9235)',
    async (alg) => {
      await refused(`${part({ alg, kid: keys.kid })}.${part(usual())}.`);
      await refused(`${part({ alg, kid: keys.kid })}.${part(usual())}.AAAA`);
    },
  );

  it.each(['HS256', 'HS384', 'HS512'])(
    'signed with %s and our knowledge of its public key is refused (RFC 8725, section 2.1; CVE-2016-5431)',
    async (alg) => {
      const publicKey = await importJWK(keys.jwks.keys[0]!, 'RS256', { extractable: true });
      const secrets = [await exportSPKI(publicKey as never), JSON.stringify(keys.jwks.keys[0]), ''];
      for (const secret of secrets) {
        const input = `${part({ alg, kid: keys.kid })}.${part(usual())}`;
        const mac = createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url');
        await refused(`${input}.${mac}`);
      }
    },
  );

  it.each([
    '../../../../dev/null',
    '/etc/passwd',
    "' OR 1=1 --",
    '\u0000',
    'http://evil.example/key',
    'x'.repeat(5000),
    '',
  ])('whose kid is %.30j opens nothing (RFC 8725, section 3.10)', async (kid) => {
    const empty = await new SignJWT(usual()).setProtectedHeader({ alg: 'HS256', kid }).sign(Buffer.alloc(32));
    await refused(empty);
    const { privateKey } = await generateKeyPair('RS256');
    await refused(await signed({}, { kid }, privateKey));
  });

  it('that brings its own key is refused (RFC 8725, section 3.10; CVE-2018-0114)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    await refused(await signed({}, { jwk }, privateKey));
    await refused(await signed({}, { jwk, kid: undefined as never }, privateKey));
  });

  it('that says where to get a key leads us nowhere (RFC 8725, section 3.10)', async () => {
    let connections = 0;
    const listener = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
    const { privateKey } = await generateKeyPair('RS256');
    for (const header of [{ jku: url }, { x5u: url }, { jku: url, kid: url }])
      await refused(await signed({}, header, privateKey));
    expect(connections).toBe(0);
    await new Promise((resolve) => listener.close(resolve));
  });

  it('that calls for extensions we do not know is refused (RFC 7515, section 4.1.11)', async () => {
    const input = `${part({ alg: 'RS256', kid: keys.kid, crit: ['evil'], evil: 1 })}.${part(usual())}`;
    await refused(`${input}.${Buffer.from('x').toString('base64url')}`);
  });

  it.each([
    '',
    '.',
    '..',
    'a.b',
    'a.b.c',
    'a.b.c.d.e',
    '%',
    '{}',
    'e30.e30.e30',
    `${part({ alg: 'RS256' })}.${part([])}.AA`,
    `${part(null)}.${part(null)}.AA`,
  ])('%j is refused without a failure', async (assertion) => {
    await refused(assertion, { client_id: app.client_id });
    expect(gatehouse.logged.filter((line) => Number(line['level']) >= 50)).toEqual([]);
  });

  it('nested ten thousand times, or of a hundred kilobytes, is refused without a failure (RFC 8725, section 2.3)', async () => {
    const deep = Buffer.from(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`).toString('base64url');
    await refused(`${part({ alg: 'RS256' })}.${deep}.AA`, { client_id: app.client_id });
    const { status } = await send(`${part({ alg: 'RS256' })}.${'A'.repeat(100_000)}.AA`);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it('in the place of a secret, or beside one, is refused (RFC 6749, section 2.3)', async () => {
    const secret = await gatehouse.app({ type: 'service' });
    await refused(await signed({ iss: secret.client_id, sub: secret.client_id }));
    await refused(await signed(), { client_secret: 'x' });
  });

  it('made with the hash that the store keeps of a secret is refused', async () => {
    const secret = await gatehouse.app({ type: 'service' });
    const { secret_hash } = await gatehouse.clients.get(secret.client_id);
    const claims = { ...usual(), iss: secret.client_id, sub: secret.client_id };
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret_hash!));
    await refused(forged);
  });

  it('of another type is refused', async () => {
    await refused(await signed(), {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
    });
  });
});

describe('a client’s secret that signs (client_secret_jwt)', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  it('is not taken as it is: only what it signs', async () => {
    const app = await gatehouse.app({ type: 'service', protocol: { token_endpoint_auth_method: 'client_secret_jwt' } });
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: app.client_id,
      client_secret: app.client_secret!,
    });
    expect((await fetch(`${gatehouse.issuer}/token`, { method: 'POST', body })).status).toBe(401);
  });

  it('rests encrypted for its client alone: moved to another it is nothing', async () => {
    const protocol = { token_endpoint_auth_method: 'client_secret_jwt' } as const;
    const [one, two] = [
      await gatehouse.app({ type: 'service', protocol }),
      await gatehouse.app({ type: 'service', protocol }),
    ];
    const { storage } = gatehouse;
    const [from, to] = [await storage.clients.find(one.client_id), await storage.clients.find(two.client_id)];
    await storage.clients.update({ ...to!, secret_sealed: from!.secret_sealed! });
    const assertion = await new SignJWT({ jti: 'x' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(two.client_id)
      .setSubject(two.client_id)
      .setAudience(gatehouse.issuer)
      .setExpirationTime('1m')
      .sign(Buffer.from(one.client_secret!));
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: TYPE,
      client_assertion: assertion,
    });
    const response = await fetch(`${gatehouse.issuer}/token`, { method: 'POST', body });
    expect(((await response.json()) as Record<string, unknown>)['access_token']).toBeUndefined();
  });
});
