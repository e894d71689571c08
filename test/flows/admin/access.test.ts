/** Who may ask what of the admin API: taken from the list of routes, so that a new one is covered by being there. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_SCOPE_NAMES } from '../../../src/administration/scopes.ts';
import { ROUTES } from '../../../src/admin/routes.ts';
import { addressOf, adminApi, personToken, programToken, resourceOf } from '../../support/admin-api.ts';
import type { Api } from '../../support/admin-api.ts';
import { as } from '../../support/endpoints.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { backToNow, passTime } from '../../support/journey.ts';

let gatehouse: Running;
beforeAll(async () => {
  gatehouse = await startGatehouse();
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

const everyRoute = ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);
/** All scopes but that of the route. */
const others = new Map<string, Promise<string>>();
const withoutScope = (scope: string): Promise<string> => {
  const token =
    others.get(scope) ??
    programToken(
      gatehouse,
      ADMIN_SCOPE_NAMES.filter((one) => one !== scope),
    );
  others.set(scope, token);
  return token;
};

const ask = (api: Api, [, route]: (typeof everyRoute)[number]) =>
  api.call(route.method, addressOf(route), {
    headers: { 'if-match': '*', ...(route.takes ? { 'content-type': route.takes[0]! } : {}) },
    ...(route.body ? { body: {} } : {}),
    ...(route.takes ? { body: 'email\n' } : {}),
  });

describe.each(everyRoute)('%s', (...one) => {
  const [, { scope }] = one;

  it('is closed to whoever brings no token, and says what to bring', async () => {
    const { status, headers, body } = await ask(adminApi(gatehouse), one);
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer realm=/);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body).toMatchObject({ status: 401, type: `${resourceOf(gatehouse)}#unauthorized` });
  });

  it('is closed to a program that has every scope but the one it takes', async () => {
    const { status, headers } = await ask(adminApi(gatehouse, await withoutScope(scope)), one);
    expect(status).toBe(403);
    expect(headers.get('www-authenticate')).toContain(`error="insufficient_scope", scope="${scope}"`);
  });

  it('is closed to a person without the role, whatever scopes their token has', async () => {
    personWithoutRole ??= personToken(gatehouse, ['editor', 'administrator']);
    expect((await ask(adminApi(gatehouse, (await personWithoutRole).token), one)).status).toBe(403);
  });

  it('is open to the scope it takes', async () => {
    only.set(scope, only.get(scope) ?? programToken(gatehouse, [scope]));
    const { status } = await ask(adminApi(gatehouse, await only.get(scope)!), one);
    expect([200, 201, 204, 400, 404]).toContain(status);
  });
});

let personWithoutRole: ReturnType<typeof personToken> | undefined;
const only = new Map<string, Promise<string>>();

describe('a token', () => {
  const list = async (token: string) => adminApi(gatehouse, token).get('/users');

  beforeAll(async () => void (await gatehouse.person({ roles: ['admin'] })));

  it('of an admin opens what its scopes allow, as long as they are an admin', async () => {
    const { sub, token } = await personToken(gatehouse, ['admin'], ['users:read']);
    expect((await list(token)).status).toBe(200);
    expect((await adminApi(gatehouse, token).get('/clients')).status).toBe(403);
    await gatehouse.accounts.edit(sub, { roles: [] });
    expect((await list(token)).status).toBe(403);
  });

  it('ends with the suspension of its admin', async () => {
    const { sub, token } = await personToken(gatehouse, ['admin']);
    await gatehouse.access.suspend(sub);
    expect((await list(token)).status).toBe(401);
  });

  it('ends with the app it was issued to, and when it is revoked', async () => {
    const app = await gatehouse.app({ type: 'service', scope: 'users:read' });
    const get = async () =>
      (await as(gatehouse, app).clientCredentials({ resource: resourceOf(gatehouse), scope: 'users:read' })).body[
        'access_token'
      ] as string;
    const [first, second] = [await get(), await get()];
    expect((await list(first)).status).toBe(200);
    await as(gatehouse, app).revoke(first);
    expect((await list(first)).status).toBe(401);
    expect((await list(second)).status).toBe(200);
    await gatehouse.clients.delete(app.client_id);
    passTime(2);
    expect((await list(second)).status).toBe(401);
  });

  it('expires', async () => {
    const token = await programToken(gatehouse);
    passTime(901);
    expect((await list(token)).status).toBe(401);
  });

  it('for another API is refused', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'users:read', resource: 'https://other.example' });
    const { status, headers } = await list(await programToken(gatehouse, ['users:read'], api.resource!));
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('that is opaque, or an ID token, is refused', async () => {
    const service = await gatehouse.app({ type: 'service', scope: 'users:read' });
    const { body } = await as(gatehouse, service).clientCredentials();
    expect((await list(body['access_token'] as string)).status).toBe(401);
  });

  it('of another issuer, or signed by anybody else, is refused', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const { keys } = (await (await fetch(`${gatehouse.issuer}/jwks`)).json()) as {
      keys: { kid: string; alg: string }[];
    };
    const kid = keys.find(({ alg }) => alg === 'ES256')!.kid;
    for (const [iss, header] of [
      ['https://evil.example', { alg: 'ES256', kid, typ: 'at+jwt' }],
      [gatehouse.issuer, { alg: 'ES256', kid, typ: 'at+jwt' }],
      [gatehouse.issuer, { alg: 'ES256', jwk, typ: 'at+jwt' }],
    ] as const) {
      const forged = await new SignJWT({ client_id: 'app_1', scope: ADMIN_SCOPE_NAMES.join(' '), jti: 'x' })
        .setProtectedHeader(header)
        .setIssuer(iss)
        .setAudience(resourceOf(gatehouse))
        .setSubject('app_1')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey);
      expect((await list(forged)).status).toBe(401);
    }
    const [, payload] = (await programToken(gatehouse)).split('.');
    const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`;
    expect((await list(none)).status).toBe(401);
  });

  it('is missing: the answer says where to learn how to get one (RFC 9728)', async () => {
    const response = await fetch(`${gatehouse.issuer}/admin/api/v1/users`);
    const [, url] = /resource_metadata="([^"]+)"/.exec(response.headers.get('www-authenticate') ?? '') ?? [];
    expect(url).toBe(`${gatehouse.issuer}/.well-known/oauth-protected-resource/admin/api`);
    const metadata = (await (await fetch(url!)).json()) as Record<string, unknown>;
    expect(metadata).toMatchObject({
      resource: `${gatehouse.issuer}/admin/api`,
      authorization_servers: [gatehouse.issuer],
      bearer_methods_supported: ['header'],
    });
    expect(metadata['scopes_supported']).toContain('users:read');
  });

  it('is refused in a query or a cookie', async () => {
    const token = await programToken(gatehouse);
    expect((await adminApi(gatehouse).get(`/users?access_token=${token}`)).status).toBe(401);
    const cookie = { headers: { cookie: `access_token=${token}` } };
    expect((await adminApi(gatehouse).call('GET', '/users', cookie)).status).toBe(401);
  });

  it('cannot be had with scopes that its app has not registered', async () => {
    const app = await gatehouse.app({ type: 'service', scope: 'users:read' });
    const more = await as(gatehouse, app).clientCredentials({
      resource: resourceOf(gatehouse),
      scope: 'users:read users:write',
    });
    expect(more.body['scope'] ?? 'users:read').not.toContain('users:write');
  });
});

describe('nobody gets more than they have', () => {
  it('by registering an app with more scopes, changing one, or taking its secret', async () => {
    const api = adminApi(gatehouse, await programToken(gatehouse, ['clients:read', 'clients:write']));
    const made = await api.post('/clients', { type: 'service', client_name: 'More', scope: 'users:write' });
    expect(made.status).toBe(403);
    const strong = await gatehouse.app({ type: 'service', scope: 'users:write' });
    expect((await api.post(`/clients/${strong.client_id}/rotate-secret`)).status).toBe(403);
    expect((await api.patch(`/clients/${strong.client_id}`, { client_name: 'Mine' })).status).toBe(403);
    expect((await api.delete(`/clients/${strong.client_id}`)).status).toBe(403);
    const weak = await gatehouse.app({ type: 'service', scope: 'orders:read' });
    expect((await api.patch(`/clients/${weak.client_id}`, { scope: 'admins:write' })).status).toBe(403);
    expect((await api.patch(`/clients/${weak.client_id}`, { scope: 'clients:read' })).status).toBe(200);
  });

  it('by making an admin, or by taking the place of one', async () => {
    const api = adminApi(gatehouse, await programToken(gatehouse, ['users:read', 'users:write']));
    const fresh = { email: 'more@example.com', name: 'More', roles: ['admin'] };
    expect((await api.post('/users', fresh)).status).toBe(403);
    const person = await gatehouse.person();
    expect((await api.patch(`/users/${person.sub}`, { roles: ['admin'] })).status).toBe(403);
    const admin = await gatehouse.person({ roles: ['admin'] });
    for (const [path, body] of [
      ['password', { password: 'another long one 42' }],
      ['email', { email: 'mine@example.com', confirmed: true }],
      ['reset-factors', undefined],
      ['suspend', undefined],
      ['resume', undefined],
      ['unlock', undefined],
    ] as const)
      expect((await api.post(`/users/${admin.sub}/${path}`, body)).status, path).toBe(403);
    expect((await api.patch(`/users/${admin.sub}`, { roles: [] })).status).toBe(403);
    expect((await api.delete(`/users/${admin.sub}`)).status).toBe(403);
    expect((await gatehouse.accounts.get(admin.sub)).roles).toEqual(['admin']);
  });

  it('by changing what is part of Gatehouse', async () => {
    const api = adminApi(gatehouse, await programToken(gatehouse));
    for (const path of ['/apis/gatehouse-admin-api', '/clients/gatehouse-account']) {
      expect((await api.delete(path)).status, path).toBe(409);
      expect((await api.patch(path, { client_name: 'Mine' })).status, path).toBe(409);
      expect((await api.post(`${path}/rotate-secret`)).status, path).toBe(409);
    }
  });
});
