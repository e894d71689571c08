import * as oidc from 'openid-client';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN_EXCHANGE } from '../../src/clients/protocol.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import { ACCESS_TOKEN, exchanging } from '../support/token-exchange.ts';

describe('a program that calls another API for a person (RFC 8693)', () => {
  let gatehouse: Running;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);

  it('exchanges the token it was given, with openid-client, and is named as who acts', async () => {
    const { back, service, subjectToken } = await exchanging(gatehouse, person);
    const rp = await relyingParty(gatehouse, service);
    const answer = await oidc.genericGrantRequest(rp.config, TOKEN_EXCHANGE, {
      subject_token: await subjectToken(),
      subject_token_type: ACCESS_TOKEN,
      resource: back.resource!,
    });
    expect(answer).toMatchObject({ issued_token_type: ACCESS_TOKEN, token_type: 'bearer', scope: 'notes:read openid' });
    expect(answer.refresh_token).toBeUndefined();
    const claims = decodeJwt(answer.access_token);
    expect(claims).toMatchObject({
      sub: person.sub,
      aud: back.resource,
      client_id: service.client_id,
      act: { sub: service.client_id },
    });
    expect((await as(gatehouse, back).introspect(answer.access_token)).body).toMatchObject({
      active: true,
      sub: person.sub,
      act: { sub: service.client_id },
    });
  });

  it('hides that it acts only where its policy says so (impersonation)', async () => {
    const { exchange, subjectToken } = await exchanging(gatehouse, person, { impersonation: true });
    const { body } = await exchange(await subjectToken());
    expect(decodeJwt(String(body['access_token']))).not.toHaveProperty('act');
  });

  it('may name by a token of its own who acts, and who acted before stays named', async () => {
    const first = await exchanging(gatehouse, person);
    const second = await exchanging(gatehouse, person, { from: [first.back.resource!] });
    const { body: own } = await as(gatehouse, second.service).clientCredentials({ resource: second.back.resource! });
    const once = await first.exchange(await first.subjectToken());
    const twice = await second.exchange(String(once.body['access_token']), {
      actor_token: String(own['access_token']),
      actor_token_type: ACCESS_TOKEN,
    });
    expect(decodeJwt(String(twice.body['access_token']))['act']).toEqual({
      sub: second.service.client_id,
      act: { sub: first.service.client_id },
    });
  });

  it('gets a token that lives no longer than the one it gave', async () => {
    const { exchange, subjectToken } = await exchanging(gatehouse, person);
    const subject = await subjectToken();
    passTime(600);
    const { body } = await exchange(subject);
    expect(decodeJwt(String(body['access_token'])).exp).toBeLessThanOrEqual(decodeJwt(subject).exp!);
    expect(Number(body['expires_in'])).toBeLessThanOrEqual(300);
  });

  it('may ask for less, and gets just that', async () => {
    const { exchange, subjectToken } = await exchanging(gatehouse, person);
    const { body } = await exchange(await subjectToken('openid notes:read notes:write'), { scope: 'notes:read' });
    expect([body['scope'], decodeJwt(String(body['access_token']))['scope']]).toEqual(['notes:read', 'notes:read']);
  });

  it('loses the token when the person is suspended', async () => {
    const other = await gatehouse.person();
    const { back, exchange, subjectToken } = await exchanging(gatehouse, other);
    const { body } = await exchange(await subjectToken());
    await gatehouse.access.suspend(other.sub);
    expect((await as(gatehouse, back).introspect(String(body['access_token']))).body).toEqual({ active: false });
  });
});
