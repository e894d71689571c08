/** Whoever asks for tokens of an API that is not theirs to ask for, or writes its name so that others read another (RFC 8707). */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { answer, as, basic, userinfo } from '../support/endpoints.ts';
import { deviceApp } from '../support/device.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const API = 'https://notes.example/api';
const ODD = [
  `${API}#`,
  `${API}#fragment`,
  `${API}#https://evil.example`,
  `${API}%23`,
  `${API}/`,
  `${API}?`,
  `${API}?x=1`,
  'https://NOTES.example/api',
  'https://notes.example:443/api',
  'https://notes.example/./api',
  'https://notes.example/%61pi',
  'https://user@notes.example/api',
  'https://notes.example@evil.example/api',
  'http://notes.example/api',
  '//notes.example/api',
  'notes.example/api',
  ` ${API}`,
  `${API} `,
  `${API}\u0000`,
  `${API} https://evil.example`,
  'https://other.example',
  'http://169.254.169.254/latest/meta-data',
  'urn:gatehouse:api:unknown',
  'javascript:alert(1)',
  '*',
];

describe('a resource that is not quite that of an API', () => {
  let gatehouse: Running;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  let signedIn: Browser;
  let refresh_token: string;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    await gatehouse.app({ type: 'api', resource: API, scope: 'notes:read' });
    await gatehouse.app({ type: 'api', resource: 'https://mail.example/api', scope: 'mail:read' });
    app = await gatehouse.app({ first_party: true });
    rp = await relyingParty(gatehouse, app);
    person = await gatehouse.person();
    signedIn = new Browser(gatehouse.issuer);
    const scope = 'openid offline_access notes:read';
    const { callback, checks } = await authorize(rp, person, { scope, resource: API }, signedIn);
    refresh_token = (await rp.redeem(callback, checks, { resource: API })).refresh_token!;
  });
  afterAll(() => gatehouse.stop());

  it.each(ODD)('%j gets no code at the authorization endpoint (section 2)', async (resource) => {
    const { url } = await rp.request({ scope: 'openid notes:read', resource });
    const page = await signedIn.open(url);
    expect(page.url.searchParams.has('code')).toBe(false);
    expect(page.url.searchParams.get('error') ?? `page ${page.status}`).toMatch(/^(?:invalid_target|page 400)$/);
  });

  it.each(ODD)('%j gets no token, however it is asked for (section 2.2)', async (resource) => {
    const { callback, checks } = await authorize(rp, person, { scope: 'openid notes:read', resource: API }, signedIn);
    const answers = [
      await as(gatehouse, app).redeem({ callback, checks }, { resource }),
      await as(gatehouse, app).refresh(refresh_token, { resource }),
      await as(gatehouse, await gatehouse.app({ type: 'service', scope: 'notes:read' })).clientCredentials({
        resource,
      }),
    ];
    for (const { status, body } of answers)
      expect([status, body['error'], body['access_token']]).toEqual([400, 'invalid_target', undefined]);
  });

  it.each(ODD)('%j is neither pushed nor shown on a device', async (resource) => {
    const { url } = await rp.request({ scope: 'openid notes:read', resource });
    const device = await deviceApp(gatehouse);
    const post = async (path: string, fields: URLSearchParams, by: App) =>
      answer(
        await fetch(gatehouse.issuer + path, {
          method: 'POST',
          body: fields,
          headers: by.client_secret === undefined ? {} : basic(by.client_id, by.client_secret),
        }),
      );
    const fields = new URLSearchParams({ client_id: device.client_id, scope: 'openid notes:read', resource });
    for (const { status, body } of [
      await post('/request', url.searchParams, app),
      await post('/device/auth', fields, device),
    ])
      expect([status, body['error']]).toEqual([400, 'invalid_target']);
  });

  it.each([`${API}2#x`, `${API}2#`, 'notes', '/api'])('%j does not become an API', async (resource) => {
    await expect(gatehouse.app({ type: 'api', resource })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('a refresh for an API that the person did not allow gets nothing', async () => {
    const { status, body } = await as(gatehouse, app).refresh(refresh_token, { resource: 'https://mail.example/api' });
    expect([status, body['error']]).toEqual([400, 'invalid_target']);
  });

  it('a token for one API says so, and is none for userinfo of more than it has', async () => {
    const { body } = await as(gatehouse, app).refresh(refresh_token, { resource: API, scope: 'notes:read' });
    const token = String(body['access_token']);
    expect(decodeJwt(token)).toMatchObject({ aud: API, scope: 'notes:read' });
    expect((await userinfo(gatehouse, token)).status).toBeGreaterThanOrEqual(400);
  });
});
