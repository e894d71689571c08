import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { asking, bank, payment } from '../support/authorization-details.ts';
import { Browser } from '../support/browser.ts';
import { allow, ask, CIBA_ON, cibaApp, openRequest } from '../support/ciba.ts';
import { clientKey } from '../support/client-keys.ts';
import { connectAs, deviceApp, startDevice } from '../support/device.ts';
import { answer, as, basic } from '../support/endpoints.ts';
import type { Running } from '../support/gatehouse.ts';
import { startInstances } from '../support/instances.ts';
import type { Instances } from '../support/instances.ts';
import { authorize, backToNow, beginConsent, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('rich authorization requests (RFC 9396)', () => {
  let instances: Instances;
  let gatehouse: Running;
  let api: App;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  beforeAll(async () => {
    instances = await startInstances(CIBA_ON);
    [gatehouse] = instances.all;
    api = await bank(gatehouse);
    app = await gatehouse.app();
    rp = await relyingParty(gatehouse, app);
    person = await gatehouse.person();
  });
  afterAll(() => instances.stop());
  afterEach(backToNow);

  const at = () => ({ scope: 'openid offline_access', resource: api.resource! });

  it('are shown in the words of the API, allowed, and told in the answer, the token and introspection', async () => {
    const browser = new Browser(gatehouse.issuer);
    const { url, checks } = await rp.request({ ...at(), ...asking(payment({ urgent: true, copies: 2 })) });
    const signIn = await browser.open(url);
    const page = await browser.submit(signIn, { email: person.email, password: person.password });
    for (const words of [
      'Make one payment',
      'The Bank',
      'Amount: 123.50 EUR',
      'To: Merchant A',
      'Urgent: yes',
      'Copies: 2',
    ])
      expect(page.text).toContain(words);
    const { url: callback } = await browser.submit(page, { decision: 'allow' });
    const tokens = await rp.redeem(callback, checks);
    const granted = [payment({ urgent: true, copies: 2 })];
    expect(tokens['authorization_details']).toEqual(granted);
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: api.resource, authorization_details: granted });
    expect((await as(gatehouse, api).introspect(tokens.access_token)).body['authorization_details']).toEqual(granted);
  });

  it('are asked each time, also where the app was allowed everything else before', async () => {
    const one = await gatehouse.person();
    await rp.signIn(one, { ...at(), ...asking(payment()) });
    const page = await beginConsent(rp, new Browser(gatehouse.issuer), one, { ...at(), ...asking(payment()) });
    expect(page.text).toContain('Make one payment');
    expect(page.html.querySelector('button[name=decision]')).not.toBeNull();
    const without = await authorize(rp, one, at());
    expect(decodeJwt((await rp.redeem(without.callback, without.checks)).access_token)).not.toHaveProperty(
      'authorization_details',
    );
  });

  it('stay with refresh, and can be narrowed for one token but never widened', async () => {
    const details = asking(payment(), payment({ creditorName: 'Merchant B' }));
    const { refresh_token } = await rp.signIn(person, { ...at(), ...details });
    const send = async (token: string, asked?: object) =>
      (await as(gatehouse, app).refresh(token, { resource: api.resource!, ...(asked ? asking(asked) : {}) })).body;
    const narrow = await send(refresh_token!, payment({ actions: ['status'] }));
    expect(narrow['authorization_details']).toEqual([payment({ actions: ['status'] })]);
    const whole = await send(String(narrow['refresh_token']));
    expect(whole['authorization_details']).toHaveLength(2);
    expect(decodeJwt(String(whole['access_token']))['authorization_details']).toHaveLength(2);
    for (const wider of [
      payment({ actions: ['initiate', 'cancel'] }),
      payment({ instructedAmount: { currency: 'EUR', amount: '999.00' } }),
      payment({ creditorName: undefined }),
      payment({ type: 'other' }),
    ])
      expect((await send(String(whole['refresh_token']), wider))['error']).toBe('invalid_authorization_details');
  });

  it('go with a code that is redeemed for a part of them', async () => {
    const { callback, checks } = await authorize(rp, person, { ...at(), ...asking(payment()) });
    const tokens = await rp.redeem(callback, checks, {
      resource: api.resource!,
      ...asking(payment({ actions: ['status'] })),
    });
    expect(tokens['authorization_details']).toEqual([payment({ actions: ['status'] })]);
  });

  it('can be pushed and signed', async () => {
    const pushed = await oidc.buildAuthorizationUrlWithPAR(
      rp.config,
      (await rp.request({ ...at(), ...asking(payment()) })).url.searchParams,
    );
    const page = await new Browser(gatehouse.issuer).open(pushed);
    expect(page.html.querySelector('input[name=password]')).not.toBeNull();

    const key = await clientKey('ES256');
    const signing = await gatehouse.app({ protocol: { jwks: key.jwks, request_object_signing_alg: 'ES256' } });
    const signer = await relyingParty(gatehouse, signing);
    const { url, checks } = await signer.request({ ...at(), ...asking(payment()) });
    const jar = await oidc.buildAuthorizationUrlWithJAR(signer.config, url.searchParams, key);
    for (const target of [jar, await oidc.buildAuthorizationUrlWithPAR(signer.config, jar.searchParams)]) {
      const browser = new Browser(gatehouse.issuer);
      const consent = await browser.submit(await browser.open(target), {
        email: person.email,
        password: person.password,
      });
      expect(consent.text).toContain('Make one payment');
      if (target !== jar) continue;
      const { url: callback } = await browser.submit(consent, { decision: 'allow' });
      expect((await signer.redeem(callback, checks))['authorization_details']).toEqual([payment()]);
    }
  });

  it('work for devices and for people who are elsewhere', async () => {
    const extra = { scope: 'openid', resource: api.resource!, ...asking(payment()) };
    const device = await startDevice(gatehouse, await deviceApp(gatehouse), extra);
    await connectAs(new Browser(gatehouse.issuer), device, person);
    expect((await device.poll())['authorization_details']).toEqual([payment()]);

    const asked = await ask(gatehouse, await cibaApp(gatehouse), person, extra);
    const browser = new Browser(gatehouse.issuer);
    const page = await openRequest(browser, person);
    expect(page.text).toContain('To: Merchant A');
    await allow(browser, page);
    expect((await asked.poll())['authorization_details']).toEqual([payment()]);
  });

  it('are given to the API that they are for alone', async () => {
    const other = await gatehouse.app({ type: 'api', scope: 'other' });
    const query = await rp.request({ scope: 'openid', ...asking(payment({ locations: [api.resource!] })) });
    for (const resource of [api.resource!, other.resource!]) query.url.searchParams.append('resource', resource);
    const browser = new Browser(gatehouse.issuer);
    const page = await browser.submit(await browser.open(query.url), {
      email: person.email,
      password: person.password,
    });
    const { url: callback } = await browser.submit(page, { decision: 'allow' });
    const tokens = await rp.redeem(callback, query.checks, { resource: other.resource! });
    expect(tokens['authorization_details']).toBeUndefined();
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: other.resource });
  });

  it('are known to every process within a second of an admin registering their type', async () => {
    const [, second] = instances.all;
    const names = async (one: Running) =>
      ((await (await fetch(`${one.issuer}/.well-known/openid-configuration`)).json()) as Record<string, string[]>)[
        'authorization_details_types_supported'
      ];
    expect(await names(second)).toEqual(['payment_initiation']);
    await gatehouse.clients.update(api.client_id, {
      detail_types: [{ type: 'account_information', title: 'See an account' }],
    });
    passTime(2);
    expect(await names(second)).toEqual(['account_information']);
    const push = async (details: object) => {
      const { searchParams } = (await rp.request({ ...at(), ...asking(details) })).url;
      const headers = basic(app.client_id, app.client_secret!);
      return answer(await fetch(`${second.issuer}/request`, { method: 'POST', body: searchParams, headers }));
    };
    expect((await push({ type: 'account_information' })).status).toBe(201);
    expect((await push(payment())).body['error']).toBe('invalid_authorization_details');
  });
});
