/** An app that uses several providers, one of which is evil, must be able to tell whose answer it has (RFC 9207; RFC 9700, section 4.4). */
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('an answer to an app with two providers', () => {
  let honest: Running;
  let evil: Running;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  beforeAll(async () => {
    [honest, evil] = await Promise.all([startGatehouse(), startGatehouse()]);
    app = await honest.app({ first_party: true });
    rp = await relyingParty(honest, app);
    person = await honest.person();
  });
  afterAll(() => Promise.all([honest.stop(), evil.stop()]));

  it('says who we are, in good answers and in bad ones, and the metadata say that it will', async () => {
    expect(rp.config.serverMetadata().authorization_response_iss_parameter_supported).toBe(true);
    const { callback } = await authorize(rp, person);
    expect(callback.searchParams.getAll('iss')).toEqual([honest.issuer]);
    const refused = await new Browser(honest.issuer).open((await rp.request({ prompt: 'none' })).url);
    expect(refused.url.searchParams.get('error')).toBe('login_required');
    expect(refused.url.searchParams.getAll('iss')).toEqual([honest.issuer]);
  });

  it.each(['iss', 'issuer'])('cannot be made to name another by the parameter %s', async (name) => {
    const { url } = await rp.request({ [name]: evil.issuer });
    const browser = new Browser(honest.issuer);
    await authorize(rp, person, {}, browser);
    expect((await browser.open(url)).url.searchParams.getAll('iss')).toEqual([honest.issuer]);
  });

  it('cannot be made to name another by a redirect URI that is registered with one', async () => {
    const redirect_uri = `https://app.example/cb?iss=${encodeURIComponent(evil.issuer)}`;
    const sly = await honest.app({ first_party: true, redirect_uris: [redirect_uri] });
    const { callback } = await authorize(await relyingParty(honest, sly), person);
    expect(callback.searchParams.getAll('iss').at(-1)).toBe(honest.issuer);
    expect(callback.searchParams.getAll('iss')).not.toEqual([evil.issuer]);
  });

  it('given to a client that expects the other is refused by it before the code goes anywhere', async () => {
    const theirs = await evil.app({ first_party: true });
    const confused = await oidc.discovery(new URL(evil.issuer), theirs.client_id, {}, oidc.None(), {
      execute: [oidc.allowInsecureRequests],
    });
    const { callback, checks } = await authorize(rp, person);
    const told = oidc.authorizationCodeGrant(confused, callback, checks);
    await expect(told).rejects.toMatchObject({ cause: { message: expect.stringContaining('iss') as string } });
    // So it is still good for who asked.
    expect((await rp.redeem(callback, checks)).claims()?.iss).toBe(honest.issuer);
  });

  it('sent on to the other provider is a code that means nothing there', async () => {
    const theirs = await evil.app({ first_party: true });
    const authorized = await authorize(rp, person);
    const { status, body } = await as(evil, theirs).redeem(authorized);
    expect([status, body['error']]).toEqual([400, 'invalid_grant']);
  });

  it('has an ID token that names us and the app, and tokens that the other does not take', async () => {
    const { callback, checks } = await authorize(rp, person);
    const tokens = await rp.redeem(callback, checks);
    expect(tokens.claims()).toMatchObject({ iss: honest.issuer, aud: app.client_id });
    const answer = await fetch(`${evil.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(answer.status).toBe(401);
  });
});
