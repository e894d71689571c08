import * as oidc from 'openid-client';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { relyingParty } from '../support/relying-party.ts';

describe('an app delegates its login', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  it('gets an ID token, an access token and a refresh token that verify', async () => {
    const person = await gatehouse.person({ roles: ['editor'] });
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const tokens = await rp.signIn(person, { scope: 'openid profile email roles offline_access' });

    expect(tokens.refresh_token).toBeTypeOf('string');
    const keys = createRemoteJWKSet(new URL(rp.config.serverMetadata().jwks_uri!));
    const { payload } = await jwtVerify(tokens.id_token!, keys, {
      issuer: gatehouse.issuer,
      audience: rp.app.client_id,
    });
    expect(payload).toMatchObject({
      sub: person.sub,
      email: person.email,
      email_verified: true,
      name: 'Ada Lovelace',
      roles: ['editor'],
      amr: ['pwd'],
    });
    const userinfo = await oidc.fetchUserInfo(rp.config, tokens.access_token, person.sub);
    expect(userinfo).toMatchObject({ email: person.email, roles: ['editor'] });

    const refreshed = await oidc.refreshTokenGrant(rp.config, tokens.refresh_token!);
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    expect(refreshed.claims()?.sub).toBe(person.sub);
  });

  it('gets a JWT access token for an API that its own API can introspect', async () => {
    const person = await gatehouse.person({ roles: ['editor'] });
    const api = await gatehouse.app({ type: 'api', name: 'Notes API', scope: 'notes:read notes:write' });
    const rp = await relyingParty(gatehouse, await gatehouse.app({ default_resource: api.resource! }));
    const tokens = await rp.signIn(person, { scope: 'openid email roles notes:read' });
    const keys = createRemoteJWKSet(new URL(rp.config.serverMetadata().jwks_uri!));
    const { payload, protectedHeader } = await jwtVerify(tokens.access_token, keys, {
      issuer: gatehouse.issuer,
      audience: api.resource!,
      typ: 'at+jwt',
    });
    expect(protectedHeader.alg).toBe('ES256');
    expect(payload).toMatchObject({
      sub: person.sub,
      email: person.email,
      roles: ['editor'],
      client_id: rp.app.client_id,
    });
    expect(new Set(String(payload['scope']).split(' '))).toEqual(new Set(['openid', 'email', 'roles', 'notes:read']));
    expect(await oidc.fetchUserInfo(rp.config, tokens.access_token, person.sub)).toMatchObject({ email: person.email });

    const asApi = await relyingParty(gatehouse, api);
    expect(await oidc.tokenIntrospection(asApi.config, tokens.access_token)).toMatchObject({
      active: true,
      sub: person.sub,
    });
    await oidc.tokenRevocation(rp.config, tokens.access_token);
    expect(await oidc.tokenIntrospection(asApi.config, tokens.access_token)).toEqual({ active: false });
    await expect(oidc.fetchUserInfo(rp.config, tokens.access_token, person.sub)).rejects.toThrow();
  });
});
