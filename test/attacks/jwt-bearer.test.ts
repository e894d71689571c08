/** Statements that nobody trusted made, that are for somebody else, or that come again (RFC 7523, section 3; RFC 8725). */
import { CompactSign, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JWT_BEARER } from '../../src/clients/protocol.ts';
import { newId } from '../../src/kernel/ids.ts';
import { clientKey } from '../support/client-keys.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { bringing, PARTNER } from '../support/jwt-bearer.ts';
import type { Bringing } from '../support/jwt-bearer.ts';
import { relyingParty } from '../support/relying-party.ts';

describe('assertions of other issuers', () => {
  let gatehouse: Running;
  let person: Person;
  let world: Bringing;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
    world = await bringing(gatehouse);
  });
  afterAll(() => gatehouse.stop());

  const refused = async (assertion: string) => {
    const { status, body } = await world.bring(assertion);
    expect([status, body['error']]).toEqual([400, 'invalid_grant']);
    expect(JSON.stringify(body)).not.toContain(PARTNER);
  };
  const about = (claims: object) => world.sign({ sub: person.sub, ...claims });

  it.each<[string, () => Promise<string>]>([
    ['of an issuer that nobody trusts', () => about({ iss: 'https://evil.example' })],
    ['of no issuer', () => about({ iss: undefined as never })],
    ['of an issuer with a slash more', () => about({ iss: `${PARTNER}/` })],
    ['for somebody else', () => about({ aud: 'https://other.example' })],
    ['for nobody', () => about({ aud: undefined as never })],
    ['for us and somebody else', () => about({ aud: [gatehouse.issuer, 'https://other.example'] })],
    ['for another endpoint of ours', () => about({ aud: `${gatehouse.issuer}/userinfo` })],
    ['that is over', () => about({ iat: world.now() - 200, exp: world.now() - 60 })],
    ['that never ends', () => about({ exp: undefined as never })],
    ['that lasts a year', () => about({ exp: world.now() + 31_536_000 })],
    ['that was made long ago for now', () => about({ iat: world.now() - 4000 })],
    ['from the future', () => about({ iat: world.now() + 60 })],
    ['that is not valid yet', () => about({ nbf: world.now() + 60 })],
    ['without jti', () => about({ jti: undefined as never })],
    ['with a jti that is no text', () => about({ jti: 7 as never })],
    ['with an endless jti', () => about({ jti: 'x'.repeat(301) })],
    ['about nobody', () => about({ sub: '' })],
    ['about somebody who is not there', () => about({ sub: 'usr_nobody' })],
    ['that is longer than any', () => about({ padding: 'x'.repeat(9000) })],
    ['that is no JWT', async () => 'e30.e30'],
    ['signed by somebody else', async () => world.sign({ sub: person.sub }, {}, await clientKey('ES256'))],
    [
      'signed by a key that it brings along',
      async () => {
        const own = await clientKey('ES256');
        return world.sign({ sub: person.sub }, { jwk: own.jwks.keys[0] }, own);
      },
    ],
    [
      'that says where its key is',
      async () => world.sign({ sub: person.sub }, { jku: 'https://evil.example/jwks' }, await clientKey('ES256')),
    ],
    ['with another kid', () => world.sign({ sub: person.sub }, { kid: '../../etc/passwd' })],
    ['that is an access token by its type', () => world.sign({ sub: person.sub }, { typ: 'at+jwt' })],
    ['that is a proof by its type', () => world.sign({ sub: person.sub }, { typ: 'dpop+jwt' })],
    ['that is a log-out token by its type', () => world.sign({ sub: person.sub }, { typ: 'logout+jwt' })],
    [
      'without a signature',
      async () =>
        new UnsecuredJWT({
          iss: PARTNER,
          sub: person.sub,
          aud: gatehouse.issuer,
          jti: newId(),
          exp: world.now() + 60,
        }).encode(),
    ],
    [
      'signed with the public key as a secret',
      async () =>
        new SignJWT({ iss: PARTNER, sub: person.sub, aud: gatehouse.issuer, jti: newId(), exp: world.now() + 60 })
          .setProtectedHeader({ alg: 'HS256', kid: world.key.kid })
          .sign(Buffer.from(JSON.stringify(world.key.jwks.keys[0]))),
    ],
    [
      'that holds no object',
      async () =>
        new CompactSign(Buffer.from('"text"'))
          .setProtectedHeader({ alg: 'ES256', kid: world.key.kid })
          .sign(world.key.key),
    ],
  ])('%s are refused', async (_what, make) => refused(await make()));

  it('are good once, however many bring one at the same moment', async () => {
    const assertion = await about({});
    const answers = await atOnce(10, () => world.bring(assertion));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
  });

  it('are not used up by a request that is wrong for another reason', async () => {
    const assertion = await about({});
    expect((await world.bring(assertion, { resource: 'https://elsewhere.example/' })).body['error']).toBe(
      'invalid_target',
    );
    expect((await world.bring(assertion, { scope: 'orders:purge' })).body['error']).toBe('invalid_scope');
    expect((await world.bring(assertion)).status).toBe(200);
  });

  it('are good with the clients that are registered for them alone', async () => {
    const plain = await gatehouse.app({ type: 'service' });
    expect((await world.bring(await about({}), {}, plain)).status).toBe(400);
    const other = await bringing(gatehouse);
    expect((await other.bring(await about({}))).body['error']).toBe('invalid_grant');
    const unknown = await as(gatehouse, { ...world.service, client_secret: 'guess' }).token({
      grant_type: JWT_BEARER,
      assertion: await about({}),
    });
    expect(unknown.status).toBe(401);
  });

  it('may not be ID tokens of ours, or tokens of the person', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const { id_token } = await rp.signIn(person);
    await refused(id_token!);
  });

  it('never give a token of a client without the key that it must be bound to', async () => {
    const bound = await gatehouse.app({
      type: 'service',
      protocol: {
        grant_types: [JWT_BEARER],
        dpop_bound_access_tokens: true,
        jwt_bearer: [
          {
            issuer: PARTNER,
            jwks: world.key.jwks,
            subject: 'account',
            to: [world.api.resource!],
            scopes: [],
            max_lifetime: 300,
          },
        ],
      },
    });
    expect((await world.bring(await about({}), {}, bound)).status).toBe(400);
  });

  const trusted = {
    issuer: PARTNER,
    jwks_uri: 'https://partner.example/jwks',
    subject: 'account',
    to: ['https://api.example'],
    scopes: [],
  };
  it.each<[string, object]>([
    ['without keys', { ...trusted, jwks_uri: undefined }],
    ['with keys by http', { ...trusted, jwks_uri: 'http://partner.example/jwks' }],
    ['for the client without saying who may speak for it', { ...trusted, subject: 'client' }],
    ['for joined accounts without saying where', { ...trusted, subject: 'linked' }],
    ['for no API', { ...trusted, to: [] }],
    ['for a day', { ...trusted, max_lifetime: 86_400 }],
    [
      'with a private key',
      { ...trusted, jwks_uri: undefined, jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'c' }] } },
    ],
  ])('are not trusted %s', async (_what, policy) => {
    const protocol = { grant_types: [JWT_BEARER], jwt_bearer: [policy] };
    await expect(gatehouse.app({ type: 'service', protocol: protocol as never })).rejects.toMatchObject({
      code: 'invalid_input',
      field: 'jwt_bearer',
    });
  });

  it('are nothing for apps without a secret, nor without a policy', async () => {
    for (const input of [
      { type: 'spa' as const, protocol: { grant_types: [JWT_BEARER], jwt_bearer: [trusted] } },
      { type: 'service' as const, protocol: { grant_types: [JWT_BEARER] } },
      { type: 'service' as const, protocol: { jwt_bearer: [trusted] } },
    ])
      await expect(gatehouse.app(input as never)).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('lead to no keys inside our network', async () => {
    const inside = await bringing(gatehouse, { jwks_uri: 'https://127.0.0.1:1/jwks' });
    const { status, body } = await inside.bring(await inside.sign({ sub: person.sub }));
    expect([status, body['error']]).toEqual([400, 'invalid_grant']);
  });
});
