import * as oidc from 'openid-client';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientKey, loopbackServer } from '../support/client-keys.ts';
import { answer } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { relyingParty } from '../support/relying-party.ts';

describe('a client proves who it is', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
  });
  afterAll(() => gatehouse.stop());

  it.each(['ES256', 'ES384', 'PS256', 'RS256', 'Ed25519'])('by a JWT that it signed with %s', async (alg) => {
    const { key, kid, jwks } = await clientKey(alg);
    const app = await gatehouse.app({ protocol: { token_endpoint_auth_method: 'private_key_jwt', jwks } });
    expect(app.client_secret).toBeUndefined();
    const rp = await relyingParty(gatehouse, app, { auth: oidc.PrivateKeyJwt({ key, kid }) });
    const tokens = await rp.signIn(await gatehouse.person(), { scope: 'openid offline_access' });
    expect((await oidc.refreshTokenGrant(rp.config, tokens.refresh_token!)).access_token).toBeTypeOf('string');
  });

  it('by a JWT made with its secret, which rests encrypted', async () => {
    const app = await gatehouse.app({ protocol: { token_endpoint_auth_method: 'client_secret_jwt' } });
    const auth = oidc.ClientSecretJwt(app.client_secret);
    const rp = await relyingParty(gatehouse, app, { auth });
    const person = await gatehouse.person();
    expect((await rp.signIn(person)).claims()!.sub).toBe(person.sub);
    const kept = JSON.stringify(await gatehouse.clients.get(app.client_id));
    expect(kept).not.toContain(app.client_secret);
  });

  it('by a JWT made with its new secret after that was changed', async () => {
    const app = await gatehouse.app({ type: 'service', protocol: { token_endpoint_auth_method: 'client_secret_jwt' } });
    const { client_secret } = await gatehouse.clients.rotateSecret(app.client_id);
    const rp = await relyingParty(gatehouse, app, { auth: oidc.ClientSecretJwt(client_secret) });
    expect((await oidc.clientCredentialsGrant(rp.config)).access_token).toBeTypeOf('string');
  });

  it('by its secret in the form where it registered that', async () => {
    const app = await gatehouse.app({ protocol: { token_endpoint_auth_method: 'client_secret_post' } });
    const rp = await relyingParty(gatehouse, app, { auth: oidc.ClientSecretPost(app.client_secret) });
    expect((await rp.signIn(await gatehouse.person())).id_token).toBeTypeOf('string');
  });

  it('by a key that it publishes, and by the next one after it changed them', async () => {
    const [old, fresh] = [await clientKey('ES256'), await clientKey('PS256')];
    let published = old.jwks;
    const site = await loopbackServer(() => ({ body: JSON.stringify(published) }));
    const jwks_uri = `${site.origin}/jwks`;
    const app = await gatehouse.app({
      type: 'service',
      protocol: { token_endpoint_auth_method: 'private_key_jwt', jwks_uri },
    });
    const by = async ({ key, kid }: typeof old) => {
      const rp = await relyingParty(gatehouse, app, { auth: oidc.PrivateKeyJwt({ key, kid }) });
      return (await oidc.clientCredentialsGrant(rp.config)).access_token;
    };
    expect(await by(old)).toBeTypeOf('string');
    published = { keys: [...fresh.jwks.keys, ...old.jwks.keys] };
    const { client } = await gatehouse.clients.register({
      type: 'service',
      name: 'The same app elsewhere',
      protocol: { token_endpoint_auth_method: 'private_key_jwt', jwks_uri },
    });
    app.client_id = client.id;
    expect(await by(fresh)).toBeTypeOf('string');
    await site.stop();
  });

  it('with one assertion at one moment: of many calls one is honoured', async () => {
    const { key, kid, jwks } = await clientKey();
    const app = await gatehouse.app({
      type: 'service',
      protocol: { token_endpoint_auth_method: 'private_key_jwt', jwks },
    });
    const assertion = await new SignJWT({ jti: 'once' })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuer(app.client_id)
      .setSubject(app.client_id)
      .setAudience(gatehouse.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(key);
    const calls = Array.from({ length: 10 }, async () =>
      answer(
        await fetch(`${gatehouse.issuer}/token`, {
          method: 'POST',
          body: new URLSearchParams({
            grant_type: 'client_credentials',
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: assertion,
          }),
        }),
      ),
    );
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(9);
  });
});
