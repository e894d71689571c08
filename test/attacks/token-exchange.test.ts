/** Whoever would get more by exchanging a token than they have (RFC 8693, section 5). */
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN_EXCHANGE } from '../../src/clients/protocol.ts';
import * as oidc from 'openid-client';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, backToNow, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import { ACCESS_TOKEN, exchanging } from '../support/token-exchange.ts';
import type { Exchanging } from '../support/token-exchange.ts';

describe('whoever exchanges a token', () => {
  let gatehouse: Running;
  let person: Person;
  let setup: Exchanging;
  let subject: string;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
    setup = await exchanging(gatehouse, person);
    subject = await setup.subjectToken();
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);

  const refused = async (token: string, fields: Record<string, string>, error: string) => {
    const { status, body } = await setup.exchange(token, fields);
    expect([status, body['error'], body['access_token']]).toEqual([400, error, undefined]);
  };

  it.each(['notes:write', 'notes:read notes:purge', 'offline_access', 'roles', 'email'])(
    'and asks for %s, which the token does not have, gets nothing (scope explosion)',
    async (scope) => refused(subject, { scope }, 'invalid_scope'),
  );

  it('for an API that its policy does not name gets nothing, whatever it calls it', async () => {
    const other = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const { resource } = other;
    await refused(subject, { resource: resource! }, 'invalid_target');
    await refused(subject, { audience: resource! }, 'invalid_target');
    await refused(subject, { resource: '' }, 'invalid_target');
    await refused(subject, { resource: `${setup.back.resource!}#x` }, 'invalid_target');
    await refused(subject, { resource: 'gatehouse-admin-api' }, 'invalid_target');
  });

  it('that is for another API than its policy names gets nothing', async () => {
    const { subjectToken } = await exchanging(gatehouse, person);
    await refused(await subjectToken(), {}, 'invalid_request');
  });

  it.each(['', 'x', 'a.b.c', 'null'])('that is %j gets nothing', async (token) =>
    refused(token, {}, 'invalid_request'),
  );

  it('forged, altered, expired or revoked gets nothing', async () => {
    const [header, payload, signature] = subject.split('.');
    const claims = { ...decodeJwt(subject), scope: 'notes:purge' };
    const altered = Buffer.from(JSON.stringify(claims)).toString('base64url');
    await refused(`${header}.${altered}.${signature}`, {}, 'invalid_request');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
    await refused(`${none}.${payload}.`, {}, 'invalid_request');
    const revoked = await setup.subjectToken();
    await as(gatehouse, setup.front).revoke(revoked);
    await refused(revoked, {}, 'invalid_request');
    passTime(1000);
    await refused(subject, {}, 'invalid_request');
  });

  it('that is no access token of a person, such as an ID token, a refresh token or one of a program, gets nothing', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const tokens = await rp.signIn(person, { scope: 'openid offline_access' });
    for (const token of [tokens.id_token!, tokens.refresh_token!, tokens.access_token])
      await refused(token, {}, 'invalid_request');
    for (const subject_token_type of ['', 'urn:ietf:params:oauth:token-type:id_token', 'urn:x'])
      await refused(tokens.id_token!, { subject_token_type }, 'invalid_request');
    const robot = await gatehouse.app({ type: 'service', scope: 'notes:read' });
    const own = await as(gatehouse, robot).clientCredentials({ resource: setup.front.resource!, scope: 'notes:read' });
    await refused(String(own.body['access_token']), {}, 'invalid_request');
  });

  it('that is bound to a key gets no unbound one for it', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const DPoP = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair());
    const { callback, checks } = await authorize(rp, person, {
      scope: 'openid notes:read',
      resource: setup.front.resource!,
    });
    const bound = await oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP });
    await refused(bound.access_token, {}, 'invalid_request');
    // Nor does a client whose own tokens must be bound.
    const strict = await exchanging(gatehouse, person);
    await gatehouse.clients.update(strict.service.client_id, { protocol: { dpop_bound_access_tokens: true } });
    expect((await strict.exchange(await strict.subjectToken())).body['error']).toBe('invalid_request');
  });

  it('cannot pass for another program by a token that is not its own', async () => {
    const other = await gatehouse.app({ type: 'service' });
    const { body } = await as(gatehouse, other).clientCredentials({ resource: setup.front.resource! });
    await refused(
      subject,
      { actor_token: String(body['access_token']), actor_token_type: ACCESS_TOKEN },
      'invalid_request',
    );
    await refused(subject, { actor_token: subject, actor_token_type: ACCESS_TOKEN }, 'invalid_request');
    await refused(subject, { actor_token: 'x' }, 'invalid_request');
  });

  it('asks for a refresh token or an ID token in vain', async () => {
    for (const kind of ['refresh_token', 'id_token', 'saml2'])
      await refused(subject, { requested_token_type: `urn:ietf:params:oauth:token-type:${kind}` }, 'invalid_request');
  });

  it('without being registered for it gets nothing', async () => {
    const { status, body } = await setup.exchange(subject, {}, await gatehouse.app({ type: 'service' }));
    expect([status, body['error']]).toEqual([400, 'invalid_request']);
    const policy = { from: [setup.front.resource!], to: [setup.back.resource!], impersonation: false };
    const wrong = [
      { type: 'service' as const, protocol: { token_exchange: policy } },
      { type: 'service' as const, protocol: { grant_types: [TOKEN_EXCHANGE] as [typeof TOKEN_EXCHANGE] } },
      {
        type: 'spa' as const,
        protocol: { grant_types: ['authorization_code' as const, TOKEN_EXCHANGE], token_exchange: policy },
      },
    ];
    for (const input of wrong)
      await expect(gatehouse.app(input as never)).rejects.toMatchObject({ code: 'invalid_input' });
  });
});
