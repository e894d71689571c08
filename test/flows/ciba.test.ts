import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CIBA } from '../../src/clients/protocol.ts';
import { ACR } from '../../src/factors/levels.ts';
import { Browser } from '../support/browser.ts';
import { allow, answerAs, ask, CIBA_ON, cibaApp, deny, openRequest } from '../support/ciba.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, backToNow, heading, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { openAccount, rows, statusText } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';

const pending = { error: 'authorization_pending' };

describe('an app that asks a person who is elsewhere (CIBA)', () => {
  let gatehouse: Running;
  let app: App;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ ...CIBA_ON, GATEHOUSE_LIMITS_APPROVAL_ACCOUNT: '1000' });
    app = await cibaApp(gatehouse);
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);
  const fresh = async () => (person = await gatehouse.person());

  it('gets tokens when the person allows it on their account page', async () => {
    await fresh();
    const asked = await ask(gatehouse, app, person, { binding_message: 'W4SCT' });
    expect(asked.request).toMatchObject({ expires_in: 300, interval: 5 });
    await expect(asked.poll()).rejects.toMatchObject(pending);
    const browser = new Browser(gatehouse.issuer);
    const page = await openRequest(browser, person);
    expect(heading(page)).toBe('Call Centre asks for you');
    expect(page.text).toContain('W4SCT');
    expect(page.text).toContain('127.0.0.1');
    expect(page.text).toContain(person.email);
    const done = await allow(browser, page);
    expect(statusText(done)).toBe('You allowed the request of Call Centre.');
    expect(rows(done)).toEqual([]);
    const tokens = await asked.poll();
    expect(tokens.claims()).toMatchObject({ sub: person.sub, email: person.email, acr: ACR[1], amr: ['pwd'] });
    expect((await oidc.fetchUserInfo(asked.rp.config, tokens.access_token, person.sub)).sub).toBe(person.sub);
    expect((await openAccount(browser, person, '/apps')).text).toContain('Call Centre');
    expect((await openAccount(browser, person, '/activity')).text).toContain('A request of Call Centre was allowed');
  });

  it('is told no when the person denies it, in the list or on its page', async () => {
    await fresh();
    const [one, other] = [await ask(gatehouse, app, person), await ask(gatehouse, app, person)];
    const browser = new Browser(gatehouse.issuer);
    const list = await openAccount(browser, person, '/requests');
    await deny(browser, list);
    await deny(browser, await openRequest(browser, person));
    for (const asked of [one, other]) await expect(asked.poll()).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('names the person by their subject or by an ID token too, and nobody by what is none of theirs', async () => {
    await fresh();
    const bySubject = await ask(gatehouse, app, person, { login_hint: person.sub });
    await answerAs(gatehouse, person);
    const id_token_hint = (await bySubject.poll()).id_token!;
    const rp = await relyingParty(gatehouse, app);
    const byToken = await oidc.initiateBackchannelAuthentication(rp.config, { scope: 'openid', id_token_hint });
    expect(byToken.auth_req_id).toBeTruthy();
    for (const login_hint of ['nobody@example.com', 'nobody', `${'x'.repeat(500)}@example.com`])
      await expect(ask(gatehouse, app, person, { login_hint })).rejects.toMatchObject({ error: 'unknown_user_id' });
    await expect(
      oidc.initiateBackchannelAuthentication(rp.config, { scope: 'openid', login_hint_token: 'x' }),
    ).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('keeps its tokens after the browser signed out only where the person left that on', async () => {
    await fresh();
    const kept = await ask(gatehouse, app, person, { scope: 'openid offline_access' });
    const browser = new Browser(gatehouse.issuer);
    await browser.submit(await openRequest(browser, person), {}, '/approve');
    const { refresh_token } = await kept.poll();
    const ends = await ask(gatehouse, app, person, { scope: 'openid offline_access' });
    const declined = await browser.submit(await openRequest(browser, person), { scope: undefined }, '/approve');
    expect(statusText(declined)).toContain('You allowed');
    const without = await ends.poll();
    expect(without.refresh_token).toBeUndefined();
    await browser.submit(await browser.open('/session/end'), { logout: 'yes' });
    expect((await as(gatehouse, app).refresh(refresh_token!)).status).toBe(200);
    await expect(oidc.fetchUserInfo(ends.rp.config, without.access_token, person.sub)).rejects.toThrow();
  });

  it('asks for an API as any app does', async () => {
    await fresh();
    const api = await gatehouse.app({ type: 'api', scope: 'calls:read' });
    const asked = await ask(gatehouse, app, person, { scope: 'openid calls:read', resource: api.resource! });
    const browser = new Browser(gatehouse.issuer);
    const page = await openRequest(browser, person);
    expect(page.text).toContain('calls:read');
    await allow(browser, page);
    expect(decodeJwt((await asked.poll()).access_token)).toMatchObject({
      aud: api.resource,
      scope: 'calls:read openid',
    });
  });

  it('waits no longer than it may, nor than the app wishes', async () => {
    await fresh();
    const asked = await ask(gatehouse, app, person, { requested_expiry: '60' });
    expect(asked.request.expires_in).toBe(60);
    expect((await ask(gatehouse, app, person, { requested_expiry: '99999' })).request.expires_in).toBe(300);
    passTime(61);
    const browser = new Browser(gatehouse.issuer);
    expect(rows(await openAccount(browser, person, '/requests'))).toHaveLength(1);
    await expect(asked.poll()).rejects.toMatchObject({
      error: expect.stringMatching(/expired_token|invalid_grant/) as string,
    });
  });

  it('makes the person prove who they are anew before they allow it', async () => {
    await fresh();
    const browser = new Browser(gatehouse.issuer);
    await openAccount(browser, person);
    passTime(301);
    await ask(gatehouse, app, person);
    const list = await openAccount(browser, person, '/requests');
    const page = await browser.open(list.html.querySelector('.gh-row a')!.getAttribute('href')!);
    expect(page.html.querySelector('input[name=password]')).not.toBeNull();
    const proved = await browser.submit(page, { password: person.password });
    expect(heading(proved)).toBe('Call Centre asks for you');
  });

  it('can insist on more than a password, which who cannot give it can only deny', async () => {
    await fresh();
    const claims = JSON.stringify({ id_token: { acr: { essential: true, values: [ACR[2]] } } });
    await ask(gatehouse, app, person, { claims });
    const browser = new Browser(gatehouse.issuer);
    const list = await openAccount(browser, person, '/requests');
    const page = await browser.open(list.html.querySelector('.gh-row a')!.getAttribute('href')!);
    expect(heading(page)).toContain('second');
    await expect(
      ask(gatehouse, app, person, { claims: claims.replace(ACR[2], 'urn:example:gold') }),
    ).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('gets its answer once, however many ask or answer at the same moment', async () => {
    await fresh();
    const asked = await ask(gatehouse, app, person);
    const browser = new Browser(gatehouse.issuer);
    const page = await openRequest(browser, person);
    const answers = await atOnce(6, (index) => (index % 2 ? allow : deny)(browser, page));
    await gatehouse.audit.idle();
    const { items } = await gatehouse.audit.search({ target: person.sub, limit: 50 });
    expect(items.filter(({ type }) => /^request_(approved|denied)$/.test(type)).length).toBe(1);
    // Several pages of one browser may tell of it, and all the same.
    expect(new Set(answers.map(statusText).filter((told) => told !== '')).size).toBeLessThanOrEqual(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    const tokens = await atOnce(6, () =>
      as(gatehouse, app).token({ grant_type: CIBA, auth_req_id: asked.request.auth_req_id }),
    );
    expect(tokens.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(tokens.filter(({ status }) => status >= 500)).toEqual([]);
  });

  it('shows who opens a link of an answered request that nothing is left to do', async () => {
    await fresh();
    await ask(gatehouse, app, person);
    const browser = new Browser(gatehouse.issuer);
    const page = await openRequest(browser, person);
    await allow(browser, page);
    const again = await browser.open(page.url);
    expect([again.status, alertText(again)]).toEqual([404, expect.stringContaining('it was answered')]);
  });

  it('is told of in the metadata', async () => {
    const metadata = (await (await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`)).json()) as object;
    expect(metadata).toMatchObject({
      backchannel_authentication_endpoint: `${gatehouse.issuer}/backchannel`,
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      backchannel_user_code_parameter_supported: false,
      grant_types_supported: expect.arrayContaining([CIBA]) as unknown,
    });
  });

  it('is registered for it: others get nothing', async () => {
    const web = await gatehouse.app();
    await expect(ask(gatehouse, web, person)).rejects.toMatchObject({ status: 400 });
    for (const input of [
      { type: 'native' as const },
      { protocol: { backchannel_token_delivery_mode: 'ping' as const } },
      { protocol: { backchannel_client_notification_endpoint: 'https://app.example/ping' } },
      {
        protocol: {
          backchannel_token_delivery_mode: 'ping' as const,
          backchannel_client_notification_endpoint: 'http://app.example/ping',
        },
      },
    ])
      await expect(cibaApp(gatehouse, input)).rejects.toMatchObject({ code: 'invalid_input' });
  });
});

it('CIBA is off by default, and no client can be registered for it', async () => {
  const gatehouse = await startGatehouse();
  const metadata = (await (await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`)).json()) as object;
  expect(metadata).not.toHaveProperty('backchannel_authentication_endpoint');
  await expect(cibaApp(gatehouse)).rejects.toMatchObject({ code: 'invalid_input', field: 'grant_types' });
  const person = await gatehouse.person();
  expect((await openAccount(new Browser(gatehouse.issuer), person, '/requests')).status).toBe(404);
  await gatehouse.stop();
});
