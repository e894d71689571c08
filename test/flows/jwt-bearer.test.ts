import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { JWT_BEARER } from '../../src/clients/protocol.ts';
import { Browser } from '../support/browser.ts';
import { clientKey, loopbackServer } from '../support/client-keys.ts';
import { answer, as, basic } from '../support/endpoints.ts';
import type { Running } from '../support/gatehouse.ts';
import { startInstances } from '../support/instances.ts';
import type { Instances } from '../support/instances.ts';
import { backToNow, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { bringing, PARTNER } from '../support/jwt-bearer.ts';
import { openAccount } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';

describe('the JWT bearer grant (RFC 7523, section 2.1)', () => {
  let instances: Instances;
  let gatehouse: Running;
  let person: Person;
  beforeAll(async () => {
    instances = await startInstances({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    [gatehouse] = instances.all;
    person = await gatehouse.person();
  });
  afterAll(() => instances.stop());
  afterEach(backToNow);

  it('gives a token in the name of the person that a trusted issuer names, with openid-client', async () => {
    const { api, service, sign } = await bringing(gatehouse);
    const rp = await relyingParty(gatehouse, service);
    const tokens = await oidc.genericGrantRequest(rp.config, JWT_BEARER, {
      assertion: await sign({ sub: person.sub }),
      resource: api.resource!,
      scope: 'orders:read email',
    });
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      sub: person.sub,
      aud: api.resource,
      scope: 'orders:read email',
      email: person.email,
      client_id: service.client_id,
    });
    expect(tokens.refresh_token).toBeUndefined();
    expect((await as(gatehouse, api).introspect(tokens.access_token)).body).toMatchObject({ active: true });
  });

  it('gives all that the policy and the API have in common where nothing is asked for, and no more', async () => {
    const { bring, sign } = await bringing(gatehouse);
    const { body } = await bring(await sign({ sub: person.sub }));
    expect(body['scope']).toBe('orders:read orders:write email');
    const more = await bring(await sign({ sub: person.sub }), { scope: 'orders:purge' });
    expect(more.body['error']).toBe('invalid_scope');
  });

  it('ends when the person takes the app away from their account page, or is suspended', async () => {
    const { api, bring, sign } = await bringing(gatehouse);
    const one = await gatehouse.person();
    const active = async (token: unknown) => (await as(gatehouse, api).introspect(String(token))).body['active'];
    const first = (await bring(await sign({ sub: one.sub }))).body['access_token'];
    const browser = new Browser(gatehouse.issuer);
    const page = await openAccount(browser, one, '/apps');
    expect(page.text).toContain('Partner bridge');
    expect(await active(first)).toBe(true);
    await browser.submit(page, {}, '/withdraw');
    expect(await active(first)).toBe(false);
    const second = (await bring(await sign({ sub: one.sub }))).body['access_token'];
    await gatehouse.access.suspend(one.sub);
    expect(await active(second)).toBe(false);
    expect((await bring(await sign({ sub: one.sub }))).body['error']).toBe('invalid_grant');
  });

  it('knows people by what they are called elsewhere, where their accounts are joined', async () => {
    const { bring, sign } = await bringing(gatehouse, { subject: 'linked', provider: 'partner' });
    const before = await bring(await sign({ sub: 'their-7' }));
    expect(before.body['error']).toBe('invalid_grant');
    const at = new Date().toISOString();
    await gatehouse.storage.identities.insert({
      provider: 'partner',
      issuer: PARTNER,
      subject: 'their-7',
      account_id: person.sub,
      email: null,
      created_at: at,
      last_used_at: at,
    });
    const { body } = await bring(await sign({ sub: 'their-7' }));
    expect(decodeJwt(String(body['access_token'])).sub).toBe(person.sub);
  });

  it('lets listed workloads have tokens of the program itself', async () => {
    const { api, service, bring, sign } = await bringing(gatehouse, {
      subject: 'client',
      subjects: ['repo:acme/app:ref:refs/heads/main'],
      scopes: ['orders:read'],
    });
    const { body } = await bring(await sign({ sub: 'repo:acme/app:ref:refs/heads/main' }));
    expect(decodeJwt(String(body['access_token']))).toMatchObject({ sub: service.client_id, scope: 'orders:read' });
    expect((await as(gatehouse, api).introspect(String(body['access_token']))).body['active']).toBe(true);
    const other = await bring(await sign({ sub: 'repo:acme/app:ref:refs/heads/evil' }));
    expect(other.body['error']).toBe('invalid_grant');
  });

  it('fetches the keys of an issuer, and fetches them again when it signs with another', async () => {
    const [first, second] = [await clientKey('ES256'), { ...(await clientKey('ES256')), kid: 'second' }];
    second.jwks.keys[0]!['kid'] = 'second';
    let keys = first.jwks;
    const server = await loopbackServer(() => ({ body: JSON.stringify(keys) }));
    try {
      const { bring, sign } = await bringing(gatehouse, { jwks_uri: `${server.origin}/jwks` });
      expect((await bring(await sign({ sub: person.sub }, {}, first))).status).toBe(200);
      expect((await bring(await sign({ sub: person.sub }, {}, first))).status).toBe(200);
      expect(server.asked).toHaveLength(1);
      keys = second.jwks;
      passTime(61);
      expect((await bring(await sign({ sub: person.sub }, {}, second))).status).toBe(200);
      expect((await bring(await sign({ sub: person.sub }, {}, first))).body['error']).toBe('invalid_grant');
    } finally {
      await server.stop();
    }
  });

  it('takes a statement once, at whichever process', async () => {
    const [, other] = instances.all;
    const { api, service, bring, sign } = await bringing(gatehouse);
    const assertion = await sign({ sub: person.sub });
    expect((await bring(assertion)).status).toBe(200);
    const again = await answer(
      await fetch(`${other.issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: JWT_BEARER, assertion, resource: api.resource! }),
        headers: basic(service.client_id, service.client_secret!),
      }),
    );
    expect(again.body['error']).toBe('invalid_grant');
  });

  it('is told of in the metadata', async () => {
    const metadata = (await (await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`)).json()) as object;
    expect(metadata).toMatchObject({ grant_types_supported: expect.arrayContaining([JWT_BEARER]) as unknown });
  });
});
