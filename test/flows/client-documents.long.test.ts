import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as oidc from 'openid-client';
import { Browser } from '../support/browser.ts';
import { adminApi, programToken } from '../support/admin-api.ts';
import { documentSite } from '../support/client-documents.ts';
import type { Site } from '../support/client-documents.ts';
import { clientKey } from '../support/client-keys.ts';
import { anAdmin, openConsole } from '../support/console.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, backToNow, beginConsent, browserFor, heading, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const HOUR = 3600;
const DAY = 86_400;
const OFFLINE = { scope: 'openid profile email offline_access' };

describe('an app that nobody registered, with the URL of a document as its id', () => {
  let gatehouse: Running;
  let person: Person;
  let site: Site;
  beforeAll(async () => {
    site = await documentSite();
    gatehouse = await startGatehouse({
      GATEHOUSE_CLIENT_DOCUMENTS_MODE: 'open',
      GATEHOUSE_CLIENT_DOCUMENTS_SCOPES: 'openid,profile,email,offline_access,notes:read',
      GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true',
    });
    person = await gatehouse.person();
  });
  afterAll(async () => {
    await gatehouse.stop();
    await site.stop();
  });
  afterEach(backToNow);

  it('signs a person in, refreshes, and is named by its host on every page', async () => {
    const app = site.publish('/agent.json', { client_name: 'Bank of Somewhere', logo_uri: `${site.origin}/logo.png` });
    const rp = await relyingParty(gatehouse, app);
    expect(rp.config.serverMetadata()['client_id_metadata_document_supported']).toBe(true);
    const browser = browserFor(rp);
    const page = await beginConsent(rp, browser, person, OFFLINE);
    expect(heading(page)).toBe(`${site.host} wants access`);
    expect(page.text).toContain(app.client_id);
    expect(page.text).toContain('It calls itself Bank of Somewhere. Nobody has checked that name.');
    // Neither the picture it wants to be known by, nor a request for it.
    expect(page.text).not.toContain('/logos/');
    expect(site.asked).not.toContain('/logo.png');

    const tokens = await rp.signIn(person, OFFLINE);
    expect(tokens.claims()).toMatchObject({ sub: person.sub, aud: app.client_id });
    const refreshed = await as(gatehouse, app).refresh(tokens.refresh_token!);
    expect(refreshed.status).toBe(200);
    expect(await gatehouse.clients.get(app.client_id)).toMatchObject({
      client_name: site.host,
      document_name: 'Bank of Somewhere',
      first_party: false,
    });
  });

  it('that comes back to a program on the device has any port there, and the person is warned', async () => {
    const app = site.publish('/cli.json', {
      redirect_uris: ['http://127.0.0.1/callback', 'https://agent.example/cli'],
    });
    const rp = await relyingParty(gatehouse, { ...app, redirect_uri: 'http://127.0.0.1:49152/callback' });
    const page = await beginConsent(rp, browserFor(rp), person);
    expect(page.text).toContain('You come back to a program on this device.');
    expect((await rp.signIn(person)).claims()?.sub).toBe(person.sub);
  });

  it('may prove itself by its key, and pushes its requests', async () => {
    const { key, kid, jwks } = await clientKey();
    const app = site.publish('/keys.json', { token_endpoint_auth_method: 'private_key_jwt', jwks });
    const auth = oidc.PrivateKeyJwt({ key, kid });
    const rp = await relyingParty(gatehouse, app, { auth });
    const { url, checks } = await rp.request();
    const pushed = await oidc.buildAuthorizationUrlWithPAR(rp.config, url.searchParams);
    const { clickThrough } = await import('../support/relying-party.ts');
    const callback = await clickThrough(new Browser(gatehouse.issuer), pushed, person);
    expect((await rp.redeem(callback, checks)).claims()?.sub).toBe(person.sub);
    const thief = await relyingParty(gatehouse, app);
    await expect(thief.signIn(person)).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('gets tokens for the API it names, with the scopes that such apps may have and no others', async () => {
    const api = await gatehouse.app({ type: 'api', name: 'Notes', scope: 'notes:read notes:delete' });
    const app = site.publish('/resource.json');
    const rp = await relyingParty(gatehouse, app);
    const parameters = { scope: 'openid notes:read notes:delete', resource: api.resource! };
    const { callback, checks } = await authorize(rp, person, parameters);
    const { access_token } = await rp.redeem(callback, checks, { resource: api.resource! });
    const [, payload] = access_token.split('.');
    const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as Record<string, unknown>;
    expect(claims).toMatchObject({ aud: api.resource, client_id: app.client_id, scope: 'notes:read openid' });
    const other = await rp.request({ resource: 'https://api.elsewhere.example' });
    const refused = await new Browser(gatehouse.issuer).open(other.url);
    expect(refused.url.searchParams.get('error')).toBe('invalid_target');
  });

  it('is read once while its document is current, and again afterwards', async () => {
    const app = site.publish('/cached.json', {}, { 'cache-control': 'max-age=3600' });
    const asked = () => site.asked.filter((path) => path === '/cached.json').length;
    const rp = await relyingParty(gatehouse, app);
    for (let turn = 0; turn < 3; turn += 1) await rp.signIn(person);
    expect(asked()).toBe(1);
    passTime(HOUR - 600);
    await rp.signIn(person);
    expect(asked()).toBe(1);
    site.publish('/cached.json', { redirect_uris: ['https://agent.example/moved'] });
    passTime(1200);
    // The address that it no longer names is good for nothing.
    const page = await new Browser(gatehouse.issuer).open((await rp.request()).url);
    expect([page.status, asked()]).toEqual([400, 2]);
    const moved = await relyingParty(gatehouse, { ...app, redirect_uri: 'https://agent.example/moved' });
    expect((await moved.signIn(person)).claims()?.sub).toBe(person.sub);
  });

  it('goes on for a day while its site does not answer, and not once the document is gone', async () => {
    const app = site.publish('/outage.json');
    const rp = await relyingParty(gatehouse, app);
    let { refresh_token } = await rp.signIn(person, OFFLINE);
    const refresh = async () => {
      const { status, body } = await as(gatehouse, app).refresh(refresh_token!);
      refresh_token = String(body['refresh_token']);
      return status;
    };
    site.answer('/outage.json', { status: 503, body: 'busy' });
    passTime(HOUR);
    expect((await rp.signIn(person)).claims()?.sub).toBe(person.sub);
    expect(await refresh()).toBe(200);
    passTime(DAY);
    expect(await refresh()).toBe(401);
    site.publish('/outage.json');
    passTime(61);
    expect((await rp.signIn(person)).claims()?.sub).toBe(person.sub);
    site.answer('/outage.json', { status: 404, body: {} });
    passTime(HOUR);
    const page = await new Browser(gatehouse.issuer).open((await rp.request()).url);
    expect(page.status).toBe(400);
  });

  it('writes nothing until a person allows it', async () => {
    const app = site.publish('/unseen.json');
    const rp = await relyingParty(gatehouse, app);
    await beginConsent(rp, browserFor(rp), person);
    expect(await gatehouse.clients.find(app.client_id)).toBeUndefined();
    expect(await gatehouse.storage.clientDocuments.find(app.client_id)).toBeUndefined();
  });

  it('that got no tokens for a month is forgotten with what was allowed, and asks anew', async () => {
    const app = site.publish('/unused.json');
    const rp = await relyingParty(gatehouse, app);
    await rp.signIn(person);
    passTime(31 * DAY);
    // By now or before: it is looked for every hour.
    await gatehouse.clientDocuments.removeUnused(30 * DAY);
    expect(await gatehouse.clients.find(app.client_id)).toBeUndefined();
    const page = await beginConsent(rp, browserFor(rp), await gatehouse.person());
    expect(heading(page)).toBe(`${site.host} wants access`);
  });

  describe('that an admin denies', () => {
    it('over the API: its tokens end, nobody signs in, and it is asked for anew when allowed', async () => {
      const app = site.publish('/denied.json');
      const rp = await relyingParty(gatehouse, app);
      const tokens = await rp.signIn(person, OFFLINE);
      // Somebody else is asked just now.
      const waiting = browserFor(rp);
      const question = await beginConsent(rp, waiting, await gatehouse.person());
      const api = adminApi(gatehouse, await programToken(gatehouse, ['clients:read', 'clients:write']));
      const denied = await api.post('/client-documents/deny', {
        client_id: app.client_id,
        reason: 'It mines mailboxes',
      });
      expect(denied.status).toBe(204);
      await eventually(async () =>
        expect((await as(gatehouse, app).refresh(tokens.refresh_token!)).status).toBeGreaterThanOrEqual(400),
      );
      expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(401);
      const late = await waiting.submit(question, { decision: 'allow' });
      expect(late.status >= 400 && late.status < 500).toBe(true);
      await eventually(async () => expect((await browserFor(rp).open((await rp.request()).url)).status).toBe(400));
      const { items } = (await api.get('/client-documents?limit=500')).body as { items: Record<string, unknown>[] };
      expect(items).toContainEqual(
        expect.objectContaining({ client_id: app.client_id, denied_reason: 'It mines mailboxes' }),
      );

      expect((await api.post('/client-documents/allow', { client_id: app.client_id })).status).toBe(204);
      expect((await as(gatehouse, app).refresh(tokens.refresh_token!)).status).toBeGreaterThanOrEqual(400);
      expect(heading(await beginConsent(rp, browserFor(rp), person))).toBe(`${site.host} wants access`);
      expect((await rp.signIn(person)).claims()?.sub).toBe(person.sub);
      // What was ended stays ended, although there is such an app again.
      expect((await as(gatehouse, app).refresh(tokens.refresh_token!)).body['error']).toBe('invalid_grant');
    });

    it('by its URL without the query that it has (draft, section 3), which means it with any', async () => {
      const app = site.publish('/hosted.json?app=7');
      const rp = await relyingParty(gatehouse, app);
      const tokens = await rp.signIn(person, OFFLINE);
      expect(tokens.claims()).toMatchObject({ sub: person.sub, aud: app.client_id });
      const api = adminApi(gatehouse, await programToken(gatehouse, ['clients:read', 'clients:write']));
      const client_id = `${site.origin}/hosted.json`;
      expect((await api.post('/client-documents/deny', { client_id, reason: 'No' })).status).toBe(204);
      expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(401);
      const statusOf = async (path: string) => {
        const other = await relyingParty(gatehouse, site.publish(path));
        return (await browserFor(other).open((await other.request()).url)).status;
      };
      await eventually(async () => expect(await statusOf('/hosted.json?app=7')).toBe(400));
      expect(await Promise.all(['/hosted.json?app=8', '/hosted.json2?app=7'].map(statusOf))).toEqual([400, 200]);
      expect((await api.post('/client-documents/allow', { client_id })).status).toBe(204);
      expect(heading(await beginConsent(rp, browserFor(rp), person))).toBe(`${site.host} wants access`);
    });

    it('in the console, also before anybody has seen it', async () => {
      const app = site.publish('/never.json');
      const { browser } = await anAdmin(gatehouse);
      const wrong = await browser.submit(
        await openConsole(browser, person, '/client-documents'),
        { client_id: 'https://agent.example', reason: '' },
        '/client-documents/deny',
      );
      expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('has no path')]);
      const done = await browser.submit(wrong, { client_id: app.client_id, reason: 'No' }, '/client-documents/deny');
      expect(done.text).toContain(`Nobody can sign in to ${app.client_id} any more`);
      const rp = await relyingParty(gatehouse, app);
      expect((await browserFor(rp).open((await rp.request()).url)).status).toBe(400);
      expect(done.text).toContain('Denied');
      const again = await browser.submit(done, { client_id: app.client_id }, '/client-documents/allow');
      expect(again.text).toContain('may ask people again');
      expect((await rp.signIn(person)).claims()?.sub).toBe(person.sub);
    });
  });
});

describe('such apps', () => {
  it('are unknown where nobody switched them on, and nothing is fetched for them', async () => {
    const site = await documentSite();
    const gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    const rp = await relyingParty(gatehouse, site.publish('/agent.json'));
    expect(rp.config.serverMetadata()['client_id_metadata_document_supported']).toBeUndefined();
    const page = await new Browser(gatehouse.issuer).open((await rp.request()).url);
    expect([page.status, site.asked]).toEqual([400, []]);
    await gatehouse.stop();
    await site.stop();
  });

  it('are those on the list, but for those that are denied, and no more than are to be kept', async () => {
    const site = await documentSite();
    const gatehouse = await startGatehouse({
      GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true',
      GATEHOUSE_CLIENT_DOCUMENTS_MODE: 'listed',
      GATEHOUSE_CLIENT_DOCUMENTS_ALLOW: `${site.origin}/agent.json,${site.origin}/denied.json,${site.origin}/more.json`,
      GATEHOUSE_CLIENT_DOCUMENTS_DENY: `${site.origin}/denied.json`,
      GATEHOUSE_CLIENT_DOCUMENTS_MOST: '1',
    });
    const person = await gatehouse.person();
    const statusOf = async (path: string) => {
      const rp = await relyingParty(gatehouse, site.publish(path));
      return (await new Browser(gatehouse.issuer).open((await rp.request()).url)).status;
    };
    const paths = ['/agent.json', '/denied.json', '/other.json', '/denied.json?a=1', '/agent.json?a=1'];
    expect(await Promise.all(paths.map(statusOf))).toEqual([200, 400, 400, 400, 400]);
    await (await relyingParty(gatehouse, site.publish('/agent.json'))).signIn(person);
    expect(await statusOf('/more.json')).toBe(400);
    expect(await statusOf('/agent.json')).toBe(200);
    await gatehouse.stop();
    await site.stop();
  });
});
