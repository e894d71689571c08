/** Scopes by the thousand, scopes of others, scopes that are written oddly: nobody gets more for it (RFC 6749, section 3.3; RFC 9700, section 2.3). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { answer, as, basic } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, beginConsent, browserFor } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { deviceApp } from '../support/device.ts';
import { relyingParty } from '../support/relying-party.ts';

const MANY = Array.from({ length: 10_000 }, (_, index) => `scope:${index}`).join(' ');
const LONG = `openid ${'x'.repeat(100_000)}`;
const ADMIN = 'openid users:read users:write admins:write clients:write';

describe('whoever asks for more scopes than there are', () => {
  let gatehouse: Running;
  let app: App;
  let api: App;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    app = await gatehouse.app({ first_party: true });
    api = await gatehouse.app({ type: 'api', scope: 'notes:read notes:write' });
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());

  const post = async (path: string, fields: Record<string, string>, by = app) =>
    answer(
      await fetch(gatehouse.issuer + path, {
        method: 'POST',
        body: new URLSearchParams({ client_id: by.client_id, ...fields }),
        headers: by.client_secret === undefined ? {} : basic(by.client_id, by.client_secret),
      }),
    );
  const granted = ({ scope }: Record<string, unknown>) =>
    typeof scope === 'string' ? scope.split(' ').filter((one) => one !== '') : [];

  it.each([
    ['ten thousand', MANY],
    ['one of a hundred thousand letters', LONG],
  ])('%s, in an address, is stopped at its length', async (_what, scope) => {
    const rp = await relyingParty(gatehouse, app);
    const { url } = await rp.request({ scope });
    const page = await new Browser(gatehouse.issuer).open(url);
    expect(page.status === 413 || page.status === 414 || page.status === 431 || page.status === 400).toBe(true);
  });

  it.each([
    ['ten thousand', MANY],
    ['one of a hundred thousand letters', LONG],
  ])('%s, pushed or for a device or for a token, is refused or left out without a failure', async (_what, scope) => {
    const service = await gatehouse.app({ type: 'service', scope: 'notes:read' });
    const device = await deviceApp(gatehouse);
    for (const { status, body } of [
      await post('/request', { scope, response_type: 'code', redirect_uri: app.redirect_uri }),
      await post('/device/auth', { scope }, device),
      await post('/token', { grant_type: 'client_credentials', scope, resource: api.resource! }, service),
      await post('/token', { grant_type: 'client_credentials', scope }, service),
    ]) {
      expect(status).toBeLessThan(500);
      expect(granted(body)).toEqual([]);
    }
  });

  it.each(['a"b', 'a\\b', 'openid\tprofile', 'openid\u00a0profile', 'openid,profile', 'openid\u0000', 'öpenid'])(
    '%j, which is no scope, gets none',
    async (scope) => {
      const service = await gatehouse.app({ type: 'service', scope: 'notes:read' });
      const { status, body } = await post(
        '/token',
        { grant_type: 'client_credentials', scope, resource: api.resource! },
        service,
      );
      expect([status < 500, granted(body)]).toEqual([true, []]);
    },
  );

  it('those of the admin API, is given none of them, not even first-party and for an admin', async () => {
    const admin = await gatehouse.person({ roles: ['admin'] });
    const rp = await relyingParty(gatehouse, app);
    const resource = `${gatehouse.issuer}/admin/api`;
    const { callback, checks } = await authorize(rp, admin, { scope: ADMIN, resource });
    const { status, body } = await as(gatehouse, app).redeem({ callback, checks }, { resource });
    expect(status).toBe(200);
    expect(granted(body).filter((scope) => scope.includes(':'))).toEqual([]);
    const called = await fetch(`${gatehouse.issuer}/admin/api/v1/users`, {
      headers: { authorization: `Bearer ${String(body['access_token'])}` },
    });
    expect([401, 403]).toContain(called.status);
  });

  it('at the refresh gets no more than the person allowed (RFC 6749, section 6)', async () => {
    const strict = await gatehouse.app();
    const rp = await relyingParty(gatehouse, strict);
    const { refresh_token } = await rp.signIn(person, { scope: 'openid offline_access' });
    for (const scope of ['openid email', 'openid profile phone address roles', 'openid notes:read', MANY]) {
      const { status, body } = await as(gatehouse, strict).refresh(refresh_token!, { scope });
      expect([status, body['error']]).toEqual([400, scope === MANY ? 'invalid_request' : 'invalid_scope']);
    }
    // And what they have is still good.
    expect((await as(gatehouse, strict).refresh(refresh_token!)).status).toBe(200);
  });

  it('after less was allowed shows the person what is new, and gets nothing by itself', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const browser = browserFor(rp);
    await rp.signIn(person, { scope: 'openid email' }, browser);
    const more = await beginConsent(rp, browser, person, { scope: 'openid email phone address roles' });
    expect(more.html.querySelector('button[name=decision]')).not.toBeNull();
    const silent = await browser.open((await rp.request({ scope: 'openid email roles', prompt: 'none' })).url);
    expect(silent.url.searchParams.get('error')).toBe('consent_required');
  });

  it('than it registered is refused', async () => {
    const small = await gatehouse.app({ scope: 'openid email', first_party: true });
    const rp = await relyingParty(gatehouse, small);
    const browser = browserFor(rp);
    const page = await browser.open((await rp.request({ scope: 'openid email profile roles' })).url);
    expect(page.url.searchParams.get('error')).toBe('invalid_scope');
  });

  it('at its registration is stopped at the field', async () => {
    for (const scope of ['a"b', 'a\\b', 'openid \u0001', 'ö'])
      await expect(gatehouse.app({ scope })).rejects.toMatchObject({ code: 'invalid_input' });
  });
});
