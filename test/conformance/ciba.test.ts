/** What the plan for CIBA asks of a provider: clients that register themselves and sign their requests, by poll and by ping. */
import { SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CIBA } from '../../src/clients/protocol.ts';
import { newId } from '../../src/kernel/ids.ts';
import { Browser } from '../support/browser.ts';
import { allow, deny, openRequest, startPingReceiver } from '../support/ciba.ts';
import type { PingReceiver } from '../support/ciba.ts';
import { clientKey } from '../support/client-keys.ts';
import type { ClientKey } from '../support/client-keys.ts';
import { startForConformance, suiteClient } from '../support/conformance.ts';
import { eventually } from '../support/eventually.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';

const NAME = 'suite client';

describe('the plan of CIBA', () => {
  let gatehouse: Running;
  let person: Person;
  let receiver: PingReceiver;
  let key: ClientKey;
  beforeAll(async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    gatehouse = await startForConformance();
    person = await gatehouse.person();
    receiver = await startPingReceiver();
    key = await clientKey('PS256');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await receiver.stop();
    await gatehouse.stop();
  });
  afterEach(backToNow);

  const client = (metadata: Record<string, unknown> = {}) =>
    suiteClient(
      gatehouse,
      {
        redirect_uris: [],
        response_types: [],
        grant_types: [CIBA, 'refresh_token'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: key.jwks as never,
        backchannel_token_delivery_mode: 'poll',
        backchannel_authentication_request_signing_alg: 'PS256',
        id_token_signed_response_alg: 'PS256',
        ...metadata,
      },
      () => oidc.PrivateKeyJwt(key),
    );
  type Suite = Awaited<ReturnType<typeof client>>;

  const signed = ({ config }: Suite, claims: Record<string, unknown> = {}, alg = 'PS256') => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({
      iss: config.clientMetadata().client_id,
      aud: gatehouse.issuer,
      iat: now,
      nbf: now,
      exp: now + 300,
      jti: newId(),
      scope: 'openid email',
      login_hint: person.email,
      binding_message: '1234',
      ...claims,
    })
      .setProtectedHeader({ alg, kid: key.kid })
      .sign(key.key);
  };
  const begin = async (suite: Suite, claims?: Record<string, unknown>) =>
    oidc.initiateBackchannelAuthentication(suite.config, { request: await signed(suite, claims) });
  const ask = ({ config }: Suite, { auth_req_id }: { auth_req_id: string }) =>
    oidc.genericGrantRequest(config, CIBA, { auth_req_id });
  async function answer(how: typeof allow): Promise<void> {
    const browser = new Browser(gatehouse.issuer);
    await how(browser, await openRequest(browser, person, NAME));
  }

  it('a signed request is answered, and its tokens come by poll', async () => {
    const suite = await client();
    const request = await begin(suite);
    expect(request).toMatchObject({ expires_in: 300, interval: 5 });
    await expect(ask(suite, request)).rejects.toMatchObject({ error: 'authorization_pending' });
    await answer(allow);
    const tokens = await ask(suite, request);
    expect(tokens.claims()).toMatchObject({ sub: person.sub });
    expect(tokens.claims()!.auth_time).toBeTypeOf('number');
    await expect(ask(suite, request)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('a ping comes with the token of the request, and then its tokens', async () => {
    const suite = await client({
      backchannel_token_delivery_mode: 'ping',
      backchannel_client_notification_endpoint: receiver.url,
    });
    const token = newId();
    const request = await begin(suite, { client_notification_token: token });
    await answer(allow);
    await eventually(() =>
      expect(receiver.pings).toEqual([{ auth_req_id: request.auth_req_id, authorization: `Bearer ${token}` }]),
    );
    expect((await ask(suite, request)).claims()?.sub).toBe(person.sub);
  });

  it('a person who says no, and one who never answers', async () => {
    const suite = await client();
    const denied = await begin(suite);
    await answer(deny);
    await expect(ask(suite, denied)).rejects.toMatchObject({ error: 'access_denied' });
    const late = await begin(suite, { requested_expiry: 30 });
    expect(late.expires_in).toBe(30);
    passTime(31);
    await expect(ask(suite, late)).rejects.toMatchObject({
      error: expect.stringMatching(/expired_token|invalid_grant/) as string,
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['for somebody else', { aud: 'https://other.example' }, 'invalid_request'],
    ['that is over', { exp: 1_000_000_000 }, 'invalid_request'],
    ['of another client', { iss: 'somebody' }, 'invalid_request'],
    ['without a scope', { scope: undefined }, 'invalid_request'],
    ['with two hints', { id_token_hint: 'e30.e30.e30' }, 'invalid_request'],
    ['with no hint', { login_hint: undefined }, 'invalid_request'],
    ['with a message that is too long', { binding_message: 'x'.repeat(2000) }, 'invalid_binding_message'],
    ['about nobody', { login_hint: 'nobody@example.com' }, 'unknown_user_id'],
  ])('a request %s is refused', async (_what, claims, error) => {
    await expect(begin(await client(), claims)).rejects.toMatchObject({ error });
  });

  it('a client that signs is refused without a signature', async () => {
    const { config } = await client();
    await expect(
      oidc.initiateBackchannelAuthentication(config, { scope: 'openid', login_hint: person.email }),
    ).rejects.toMatchObject({ error: 'invalid_request' });
  });
});
