/** The console: what an admin does in it, and what comes of that. */
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Browser, Page } from '../../support/browser.ts';
import { anAdmin, openConsole } from '../../support/console.ts';
import { as } from '../../support/endpoints.ts';
import { withApp } from '../../support/factors.ts';
import { PASSWORD, startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { alertText, backToNow, fieldValue, heading, linkNamed, passTime } from '../../support/journey.ts';
import type { Person } from '../../support/journey.ts';
import { browserOn, openAccount, statusText } from '../../support/portal.ts';

let gatehouse: Running;
let admin: Person;
let browser: Browser;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_MAIL_MAILBOX: 'true', GATEHOUSE_LIMITS_ENABLED: 'false' });
  ({ admin, browser } = await anAdmin(gatehouse));
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

const at = (path: string) => openConsole(browser, admin, path);
/** Sends the form of a page of the console. */
async function send(path: string, values: Record<string, string | undefined>, action = path): Promise<Page> {
  return browser.submit(await at(path), values, action);
}
const confirm = (path: string) => send(path, {});
const newest = async (target: string) => (await gatehouse.audit.search({ target, limit: 1 })).items[0];

describe('the way in', () => {
  it('leads through the sign-in to the overview', () => at('').then((page) => expect(heading(page)).toBe('Overview')));

  it('leads to the page that was asked for', async () => {
    const { admin: other } = await anAdmin(gatehouse);
    const page = await openConsole(browserOn(gatehouse.issuer, 'laptop'), other, '/people');
    expect(heading(page)).toBe('People');
  });

  it('is closed to whoever is no admin, who is told as whom they came and can switch', async () => {
    const other = browserOn(gatehouse.issuer, 'laptop');
    const person = await gatehouse.person({ name: 'Bob Stranger' });
    const page = await openConsole(other, person);
    expect([page.status, heading(page)]).toEqual([403, 'This page is for admins']);
    expect(page.text).toContain('Bob Stranger');
    expect(page.text).toContain(person.email);
    await other.submit(page, {}, '/sign-out');
    expect(heading(await other.open('/admin'))).toBe('Sign in to Gatehouse');
  });

  it('asks for the second factor that an admin has', async () => {
    const person = await gatehouse.person({ roles: ['admin'] });
    await withApp(gatehouse, person);
    const page = await openConsole(browserOn(gatehouse.issuer, 'laptop'), person);
    expect(page.html.querySelector('#code')).not.toBeNull();
  });

  it('ends at once with the role, and with the session', async () => {
    const { admin: other, browser: theirs } = await anAdmin(gatehouse);
    await gatehouse.accounts.edit(other.sub, { roles: [] });
    expect((await theirs.open('/admin/people')).status).toBe(403);
    await gatehouse.accounts.edit(other.sub, { roles: ['admin'] });
    expect((await theirs.open('/admin/people')).status).toBe(200);
    await gatehouse.access.suspend(other.sub);
    expect(heading(await theirs.open('/admin/people'))).not.toBe('People');
  });
});

describe('people', () => {
  it('are created, found by the beginning of a word, and sign in', async () => {
    const email = 'katherine@example.com';
    const made = await send('/people/new', { name: 'Katherine Johnson', email, password: PASSWORD });
    expect([heading(made), statusText(made)]).toEqual(['Katherine Johnson', 'Katherine Johnson was created.']);
    expect((await at('/people?search=kath+johns')).text).toContain(email);
    const { id } = (await gatehouse.accounts.findByEmail(email))!;
    expect(await newest(id)).toMatchObject({ type: 'account_created', actor: { kind: 'admin', id: admin.sub } });
    expect(
      (await openAccount(browserOn(gatehouse.issuer, 'phone'), { email, password: PASSWORD, sub: id })).status,
    ).toBe(200);
  });

  it('are not created twice, nor with a weak password; what was typed stays, but the password', async () => {
    const { email } = await gatehouse.person();
    const twice = await send('/people/new', { name: 'Double', email, password: '' });
    expect([twice.status, fieldValue(twice, 'name')]).toEqual([400, 'Double']);
    expect(alertText(twice)).toContain('already');
    const weak = await send('/people/new', { name: 'Weak', email: 'weak@example.com', password: 'password' });
    expect([weak.status, weak.html.querySelector('#password-error') !== null]).toEqual([400, true]);
    expect(weak.text).not.toContain('value="password"');
  });

  it('that are not there are said to be none, with what to do', async () => {
    expect((await at('/people?search=zzzzzz')).text).toContain('Nothing found');
  });

  it('are paged through', async () => {
    for (let index = 0; index < 30; index += 1) await gatehouse.person({ name: `Paging Person${index}` });
    const first = await at('/people?search=paging');
    const second = await browser.open(linkNamed(first, 'Next page'));
    const rows = (page: Page) => page.html.querySelectorAll('.gh-row__name a').map((link) => link.text);
    expect([rows(first).length, rows(second).length]).toEqual([25, 5]);
    expect(new Set([...rows(first), ...rows(second)]).size).toBe(30);
  });

  it('are edited; an error stands at its field', async () => {
    const { sub } = await gatehouse.person({ name: 'Old Name' });
    const wrong = await send(`/people/${sub}/edit`, { name: 'New Name', website: 'no address' });
    expect([wrong.status, wrong.html.querySelector('#website-error') !== null]).toEqual([400, true]);
    expect(fieldValue(wrong, 'name')).toBe('New Name');
    const saved = await browser.submit(wrong, { website: 'https://new.example', given_name: 'New' }, '/edit');
    expect(heading(saved)).toBe('New Name');
    expect((await gatehouse.accounts.get(sub)).claims).toMatchObject({
      website: 'https://new.example',
      given_name: 'New',
    });
  });

  it('edited by two admins at once are saved by the first; the second is told and loses nothing', async () => {
    const { sub } = await gatehouse.person({ name: 'Shared' });
    const { admin: other, browser: theirs } = await anAdmin(gatehouse);
    const path = `/people/${sub}/edit`;
    const [mine, yours] = [await at(path), await openConsole(theirs, other, path)];
    await browser.submit(mine, { name: 'First', nickname: 'one' }, '/edit');
    const told = await theirs.submit(yours, { name: 'Second' }, '/edit');
    expect([told.status, fieldValue(told, 'name')]).toEqual([412, 'Second']);
    expect(alertText(told)).toContain('Somebody else saved first');
    expect(alertText(told)).toContain('First');
    expect((await gatehouse.accounts.get(sub)).name).toBe('First');
    await theirs.submit(told, { nickname: 'one' }, '/edit');
    const { name, claims } = await gatehouse.accounts.get(sub);
    expect([name, claims.nickname]).toEqual(['Second', 'one']);
  });

  it('get roles; nobody takes the role admin from themselves', async () => {
    const { sub } = await gatehouse.person();
    await send(`/people/${sub}/roles`, { roles: 'editor\nreader' });
    expect((await gatehouse.accounts.get(sub)).roles).toEqual(['editor', 'reader']);
    const own = await send(`/people/${admin.sub}/roles`, { roles: '' });
    expect([own.status, alertText(own)]).toEqual([400, expect.stringContaining('from yourself')]);
    expect((await gatehouse.accounts.get(admin.sub)).roles).toEqual(['admin']);
  });

  it('get another e-mail, and a password that works', async () => {
    const { sub } = await gatehouse.person();
    await send(`/people/${sub}/email`, { email: 'changed@example.com', confirmed: 'yes' });
    expect((await gatehouse.accounts.get(sub)).email).toBe('changed@example.com');
    await send(`/people/${sub}/password`, { password: 'a quite other passphrase' });
    expect(await gatehouse.accounts.authenticate('changed@example.com', 'a quite other passphrase')).toBeDefined();
  });

  it('are suspended and let in again, unlocked, mailed a link, and signed out everywhere, each after a page that names them', async () => {
    const person = await gatehouse.person({ name: 'Named Person' });
    const theirs = browserOn(gatehouse.issuer, 'phone');
    await openAccount(theirs, person);
    const asked = await at(`/people/${person.sub}/sign-out`);
    expect(heading(asked)).toBe('Sign Named Person out everywhere?');
    expect(asked.text).toContain(person.email);
    await browser.submit(asked, {}, `${person.sub}/sign-out`);
    expect(heading(await theirs.open('/account'))).toContain('Sign in');
    for (const [path, type] of [
      ['suspend', 'suspended'],
      ['resume', 'resumed'],
      ['unlock', 'unlocked'],
      ['mail-reset', 'password_reset_mailed'],
      ['demand-password', 'password_change_demanded'],
      ['waive-password', 'password_change_waived'],
      ['reset-factors', 'factors_reset'],
    ] as const) {
      const done = await confirm(`/people/${person.sub}/${path}`);
      expect([path, done.status, statusText(done)]).toEqual([path, 200, expect.stringContaining('Named Person')]);
      const { items } = await gatehouse.audit.search({ target: person.sub, type, limit: 1 });
      expect([path, items[0]?.actor]).toEqual([path, { kind: 'admin', id: admin.sub }]);
    }
  });

  it('are erased, but not oneself', async () => {
    const { sub } = await gatehouse.person({ name: 'Gone Soon' });
    expect(statusText(await confirm(`/people/${sub}/erase`))).toBe('Gone Soon was erased.');
    expect(await gatehouse.accounts.find(sub)).toBeUndefined();
    expect((await at(`/people/${admin.sub}/erase`)).status).toBe(404);
  });

  it('are suspended together after a page that names all of them, but never the admin who asks', async () => {
    const [one, two] = [await gatehouse.person({ name: 'Bulk One' }), await gatehouse.person({ name: 'Bulk Two' })];
    const _csrf = fieldValue(await at('/people'), '_csrf');
    const body = new URLSearchParams([
      ['_csrf', _csrf],
      ['act', 'suspend'],
      ...[one, two, admin].map(({ sub }) => ['person', sub]),
    ] as [string, string][]);
    const asked = await browser.open('/admin/people/selected', { method: 'POST', body });
    expect(heading(asked)).toBe('Suspend 2 people?');
    expect(asked.html.querySelector('main')!.text).not.toContain(admin.email);
    const done = await browser.open('/admin/people/selected/do', { method: 'POST', body });
    expect(statusText(done)).toBe('2 people were suspended.');
    for (const { sub } of [one, two]) expect((await gatehouse.accounts.get(sub)).state).toBe('suspended');
    expect((await gatehouse.accounts.get(admin.sub)).state).toBe('active');
  });
});

describe('apps and APIs', () => {
  const secretOf = (page: Page) => page.html.querySelector('#secret')!.text;

  it('are registered by kind; the secret is shown once, and works', async () => {
    const shown = await send('/apps/new/service', { name: 'Billing Sync' });
    expect(heading(shown)).toBe('Secret of Billing Sync');
    const client_id = shown.html.querySelector('#client_id')!.text;
    const app = { client_id, client_secret: secretOf(shown), redirect_uri: '', resource: null };
    expect((await as(gatehouse, app).clientCredentials()).status).toBe(200);
    const page = await at(`/apps/${client_id}`);
    expect([heading(page), page.text.includes(app.client_secret)]).toEqual(['Billing Sync', false]);
    expect(await newest(client_id)).toMatchObject({
      type: 'client_registered',
      actor: { kind: 'admin', id: admin.sub },
    });
  });

  it.each([
    ['https://app.example/*', 'wildcard'],
    ['https://app.example/#x', 'fragment'],
    ['http://app.example/', 'https'],
    ['', 'needs a redirect URI'],
  ])('say at the field what is wrong with the redirect URI %s', async (redirect_uris, why) => {
    const page = await send('/apps/new/web', { name: 'Wrong', redirect_uris });
    expect(page.status).toBe(400);
    expect(page.html.querySelector('#redirect_uris-error')!.text).toContain(why);
    expect(page.html.querySelector('#redirect_uris')!.text.trim()).toBe(redirect_uris);
  });

  /** As a script sends the field that was typed in. */
  async function typing(path: string, checked: string, values: Record<string, string>, check = path): Promise<Page> {
    const _csrf = fieldValue(await at(path), '_csrf');
    const body = new URLSearchParams({ _csrf, checked, ...values });
    return browser.open(`/admin${check}/check`, { method: 'POST', body });
  }
  const said = (page: Page, field: string) => page.html.querySelector(`#${field}-check`)!.text.trim();

  it('are checked while they are typed, by the rules of saving, and nothing is saved', async () => {
    const path = '/apps/new/web';
    const before = (await gatehouse.clients.list({ limit: 500 })).items.length;
    for (const [redirect_uris, why] of [
      ['https://app.example/*', 'wildcard'],
      ['https://app.example/#x', 'fragment'],
      ['http://app.example/', 'https'],
      ['com.example.app:/cb', 'https'],
    ] as const) {
      // Nothing else is typed yet.
      const page = await typing(path, 'redirect_uris', { redirect_uris });
      expect([redirect_uris, page.status, said(page, 'redirect_uris')]).toEqual([
        redirect_uris,
        200,
        expect.stringContaining(why),
      ]);
      expect(said(page, 'name')).toBe('');
    }
    expect(said(await typing(path, 'redirect_uris', { redirect_uris: 'https://ok.example/cb' }), 'redirect_uris')).toBe(
      '',
    );
    expect(
      said(await typing('/apps/new/native', 'redirect_uris', { redirect_uris: 'myapp:/cb' }), 'redirect_uris'),
    ).toContain('reversed domain name');
    expect(
      said(await typing(path, 'access_token_lifetime', { access_token_lifetime: '5' }), 'access_token_lifetime'),
    ).toContain('30 to');
    expect(
      said(await typing(path, 'jwks', { token_endpoint_auth_method: 'private_key_jwt', jwks: 'x' }), 'jwks'),
    ).toContain('jwks');
    expect((await gatehouse.clients.list({ limit: 500 })).items).toHaveLength(before);
  });

  it('that could be taken for others are said to be, while typed and on their page; what is typed stays text', async () => {
    await gatehouse.app({ name: 'Travel Desk', redirect_uris: ['https://travel.bigcorp.example/cb'] });
    passTime(31);
    const path = '/apps/new/web';
    expect(said(await typing(path, 'name', { name: 'Travei Desk' }), 'name')).toContain('Travel Desk');
    const near = { redirect_uris: 'https://travel.bigc0rp.example/cb' };
    expect(said(await typing(path, 'redirect_uris', near), 'redirect_uris')).toContain('bigcorp.example');
    const evil = '"><script>alert(1)</script>';
    expect((await typing(path, 'name', { name: evil })).text).not.toContain('<script>alert');
    const { client_id } = await gatehouse.app({ name: 'Shared', redirect_uris: ['https://acme.github.io/cb'] });
    expect((await at(`/apps/${client_id}`)).html.querySelector('.gh-callout--warn')!.text).toContain('github.io');
  });

  it('are registered with a key of their own, and with what is otherwise for them', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] });
    const done = await send('/apps/new/web', {
      name: 'Keyed',
      redirect_uris: 'https://keyed.example/cb',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks,
      access_token_lifetime: '120',
      consent: 'always',
      id_token_profile_claims: undefined,
    });
    expect(heading(done)).toBe('Keyed');
    const { items } = await gatehouse.clients.search({ text: 'keyed', limit: 1 });
    expect(items[0]).toMatchObject({
      protocol: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kid: 'one' }] } },
      access_token_lifetime: 120,
      consent: 'always',
      id_token_profile_claims: false,
    });
    const saved = await send(`/apps/${items[0]!.id}/edit`, {
      redirect_uris: 'https://keyed.example/cb',
      consent: 'always',
      token_endpoint_auth_method: 'client_secret_post',
      jwks: '',
    });
    expect(heading(saved)).toBe('Keyed');
    expect(await gatehouse.clients.get(items[0]!.id)).toMatchObject({ access_token_lifetime: 120, consent: 'always' });
  });

  it('speak the protocol as the form says, what it has no field for included', async () => {
    const bridge = [
      {
        issuer: 'https://partner.example',
        jwks_uri: 'https://partner.example/jwks',
        subject: 'account',
        to: ['https://orders.example'],
        scopes: ['orders:read'],
      },
    ];
    const grant_types = ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'];
    const path = '/apps/new/service';
    const wrong = await send(path, { name: 'Bridge', other_metadata: '{"jwt_bearer": 7}' });
    expect(wrong.text).toContain('jwt_bearer');
    expect((await send(path, { name: 'Bridge', other_metadata: 'x' })).status).toBe(400);
    expect((await send(path, { name: 'Bridge', other_metadata: '{"first_party": true}' })).status).toBe(400);
    await send(path, { name: 'Bridge', other_metadata: JSON.stringify({ grant_types, jwt_bearer: bridge }) });
    const { items } = await gatehouse.clients.search({ text: 'bridge', limit: 1 });
    const { id } = items[0]!;
    expect(items[0]!.protocol).toMatchObject({ grant_types, jwt_bearer: [{ issuer: 'https://partner.example' }] });
    expect((await at(`/apps/${id}/edit`)).text).toContain('partner.example');
    await send(`/apps/${id}/edit`, { other_metadata: '' });
    expect((await gatehouse.clients.get(id)).protocol).not.toHaveProperty('jwt_bearer');

    const app = await gatehouse.app({ name: 'Till', protocol: { subject_type: 'pairwise' } });
    await send(`/apps/${app.client_id}/edit`, {
      redirect_uris: app.redirect_uri,
      dpop_bound_access_tokens: 'yes',
      other_metadata: '{"subject_type":"pairwise"}',
    });
    const { protocol } = await gatehouse.clients.get(app.client_id);
    expect(protocol).toMatchObject({ subject_type: 'pairwise', dpop_bound_access_tokens: true });
    expect(protocol).not.toHaveProperty('require_pushed_authorization_requests');

    const api = await gatehouse.app({ type: 'api', name: 'Payments' });
    const detail_types = [{ type: 'payment', title: 'Make one payment' }];
    await send(`/apis/${api.client_id}/edit`, { detail_types: JSON.stringify(detail_types) });
    expect((await gatehouse.clients.get(api.client_id)).detail_types).toEqual(detail_types);
  });

  /** Begins, and goes on as the admin up to what came of it. */
  async function tried(id: string, values: Record<string, string>): Promise<Page> {
    const page = await send(`/apps/${id}/try`, { scope: 'openid email', resource: '', ...values });
    return page.html.querySelector('button[name=decision]') ? browser.submit(page, { decision: 'allow' }) : page;
  }

  it.each([
    ['web', { type: 'web' }],
    ['spa', { type: 'spa' }],
    ['signing', { type: 'web', protocol: { token_endpoint_auth_method: 'client_secret_jwt' } }],
    ['pushing', { type: 'web', protocol: { require_pushed_authorization_requests: true } }],
  ] as const)('of the kind %s are tried by the admin themselves; nothing is left of it', async (_kind, input) => {
    const app = await gatehouse.app({ ...input, name: 'Tried App', redirect_uris: ['https://tried.example/cb'] });
    const page = await tried(app.client_id, {});
    expect([page.status, heading(page)]).toEqual([200, 'Try Tried App']);
    expect(page.html.querySelector('main')!.text).toContain(admin.sub);
    expect(page.text).toContain(admin.email);
    expect(page.text).not.toMatch(/eyJ[\w-]{20}/);
    expect((await gatehouse.clients.get(app.client_id)).version).toBe(1);
    // An answer counts once, in the browser that asked.
    expect((await browser.open(page.url)).status).toBe(404);
  });

  it('are tried though they have as many secrets as an app may have', async () => {
    const app = await gatehouse.app({ name: 'Two Secrets', redirect_uris: ['https://two.example/cb'] });
    await gatehouse.clients.addSecret(app.client_id);
    const page = await tried(app.client_id, {});
    expect([page.status, page.text.includes(admin.email)]).toEqual([200, true]);
  });

  it('say why a request is refused before it begins', async () => {
    const app = await gatehouse.app({ protocol: { require_pushed_authorization_requests: true } });
    const page = await send(`/apps/${app.client_id}/try`, { scope: 'openid', resource: 'https://nowhere.example' });
    expect([page.status, alertText(page)]).toEqual([400, 'resource indicator is missing, or unknown']);
    expect((await gatehouse.clients.get(app.client_id)).version).toBe(1);
  });

  it('have our redirect URI for a run alone, for as long as it may take', async () => {
    const app = await gatehouse.app({ first_party: true, name: 'Left Alone' });
    const other = await gatehouse.app({ first_party: true });
    const asked = await at(`/apps/${app.client_id}/try`);
    const went = await browser.request(`/admin/apps/${app.client_id}/try`, {
      method: 'POST',
      body: new URLSearchParams({ _csrf: fieldValue(asked, '_csrf'), scope: 'openid', resource: '' }),
    });
    const target = new URL(/url=([^"]+)"/.exec(await went.text())![1]!.replaceAll('&amp;', '&'), gatehouse.issuer);
    const location = async (change: (url: URL) => void) => {
      const url = new URL(target);
      change(url);
      const answer = await browser.request(url.pathname + url.search);
      return [answer.status, answer.headers.get('location')?.includes('/admin/try/callback') ?? false];
    };
    const refused = [400, false];
    expect(await location((url) => url.searchParams.delete('gatehouse_try'))).toEqual(refused);
    expect(await location((url) => url.searchParams.set('gatehouse_try', 'x'.repeat(43)))).toEqual(refused);
    expect(await location((url) => url.searchParams.set('client_id', other.client_id))).toEqual(refused);
    expect(await location((url) => url.searchParams.set('redirect_uri', 'https://evil.example/cb'))).toEqual(refused);
    expect(await location(() => undefined)).toEqual([303, true]);
    passTime(601);
    expect(await location(() => undefined)).toEqual(refused);
  });

  it('are tried by nobody else: an answer that another admin brings is refused', async () => {
    const app = await gatehouse.app({ first_party: true, name: 'Mine To Try' });
    const { admin: other, browser: theirs } = await anAdmin(gatehouse);
    const asked = await at(`/apps/${app.client_id}/try`);
    const went = await browser.request(`/admin/apps/${app.client_id}/try`, {
      method: 'POST',
      body: new URLSearchParams({ _csrf: fieldValue(asked, '_csrf'), scope: 'openid', resource: '' }),
    });
    const target = /url=([^"]+)"/.exec(await went.text())![1]!.replaceAll('&amp;', '&');
    const state = new URL(target, gatehouse.issuer).searchParams.get('state')!;
    const answer = await openConsole(theirs, other, `/try/callback?code=x&state=${state}`);
    expect(answer.status).toBe(404);
  });

  it('that prove themselves with a key of their own, or sign nobody in, cannot be tried from here', async () => {
    const service = await gatehouse.app({ type: 'service' });
    const bound = await gatehouse.app({ protocol: { dpop_bound_access_tokens: true } });
    for (const { client_id } of [service, bound, { client_id: 'gatehouse-console' }]) {
      expect((await at(`/apps/${client_id}/try`)).status).toBe(404);
      expect((await at(`/apps/${client_id}`)).html.querySelector(`a[href$="/try"]`)).toBeNull();
    }
  });

  it('whose secret ends soon stand on the overview', async () => {
    const { client_id } = await gatehouse.app({ name: 'Ending Soon' });
    expect((await at('')).text).not.toContain('Ending Soon');
    await gatehouse.clients.rotateSecret(client_id, { overlap: 0, expires_in: 3 * 86_400 });
    const page = await at('');
    expect(page.html.querySelector('.gh-todo')!.text).toContain('Ending Soon');
  });

  it('are edited; of two admins the second is told', async () => {
    const { client_id } = await gatehouse.app({ name: 'Shared App' });
    const { admin: other, browser: theirs } = await anAdmin(gatehouse);
    const path = `/apps/${client_id}/edit`;
    const [mine, yours] = [await at(path), await openConsole(theirs, other, path)];
    const typed = { redirect_uris: 'https://one.example/cb\nhttps://two.example/cb', identity_providers: '' };
    expect(statusText(await browser.submit(mine, typed, '/edit'))).toContain('saved');
    expect((await gatehouse.clients.get(client_id)).redirect_uris).toEqual([
      'https://one.example/cb',
      'https://two.example/cb',
    ]);
    const told = await theirs.submit(yours, { redirect_uris: 'https://three.example/cb', name: 'Mine' }, '/edit');
    expect([told.status, fieldValue(told, 'name')]).toEqual([412, 'Mine']);
    expect(alertText(told)).toContain('https://one.example/cb');
  });

  it('get a new secret beside which the one before goes on, until it is revoked', async () => {
    const app = await gatehouse.app({ type: 'service', name: 'Rotated' });
    const works = async (client_secret: string) =>
      (await as(gatehouse, { ...app, client_secret }).clientCredentials()).status === 200;
    const secret = secretOf(await confirm(`/apps/${app.client_id}/secret`));
    passTime(2);
    expect([await works(app.client_secret!), await works(secret)]).toEqual([true, true]);
    const page = await at(`/apps/${app.client_id}`);
    expect([page.text.includes(`…${secret.slice(-4)}`), page.text.includes(secret)]).toEqual([true, false]);
    const [, before] = page.html.querySelectorAll('a[href$="/revoke"]').map((link) => link.getAttribute('href')!);
    const asked = await browser.open(before!);
    expect([heading(asked), asked.text.includes(app.client_secret!.slice(-4))]).toEqual([
      'Revoke this secret of Rotated?',
      true,
    ]);
    expect(statusText(await browser.submit(asked, {}, '/revoke'))).toBe('A secret of Rotated was revoked.');
    passTime(2);
    expect([await works(app.client_secret!), await works(secret)]).toEqual([false, true]);
  });

  it('get a new secret in the place of one that leaked', async () => {
    const app = await gatehouse.app({ type: 'service', name: 'Leaked' });
    const secret = secretOf(await send(`/apps/${app.client_id}/secret`, { overlap: '0', expires_in: '2592000' }));
    passTime(2);
    expect((await as(gatehouse, app).clientCredentials()).status).toBe(401);
    passTime(30 * 86_400);
    expect((await as(gatehouse, { ...app, client_secret: secret }).clientCredentials()).status).toBe(401);
    backToNow();
    const wrong = await send(`/apps/${app.client_id}/secret`, { overlap: '0', expires_in: '7' });
    expect([wrong.status, wrong.html.querySelector('#expires_in-error') !== null]).toEqual([400, true]);
  });

  it('are deleted after a page that names them', async () => {
    const { client_id } = await gatehouse.app({ name: 'Old Intranet' });
    expect(heading(await at(`/apps/${client_id}/delete`))).toBe('Delete Old Intranet?');
    expect(statusText(await confirm(`/apps/${client_id}/delete`))).toBe('Old Intranet was deleted.');
    expect(await gatehouse.clients.find(client_id)).toBeUndefined();
  });

  it('are deleted together after a page that names all of them, but never what is part of the program', async () => {
    const [one, two] = [await gatehouse.app({ name: 'Bulk App One' }), await gatehouse.app({ name: 'Bulk App Two' })];
    const _csrf = fieldValue(await at('/apps'), '_csrf');
    const ids = [one.client_id, two.client_id, 'gatehouse-console', 'nobody'];
    const body = new URLSearchParams([['_csrf', _csrf], ...ids.map((id) => ['client', id])] as [string, string][]);
    const asked = await browser.open('/admin/apps/selected', { method: 'POST', body });
    expect(heading(asked)).toBe('Delete 2 apps?');
    expect(asked.text).toContain('Bulk App Two');
    expect(asked.text).not.toContain('value="gatehouse-console"');
    const done = await browser.open('/admin/apps/selected/do', { method: 'POST', body });
    expect(statusText(done)).toBe('2 were deleted.');
    expect(await gatehouse.clients.find(one.client_id)).toBeUndefined();
    expect(await gatehouse.clients.find('gatehouse-console')).toBeDefined();
    const nothing = new URLSearchParams({ _csrf });
    expect(statusText(await browser.open('/admin/apps/selected', { method: 'POST', body: nothing }))).toBe(
      'Nothing was chosen.',
    );
  });

  it('are APIs with an identifier of their own', async () => {
    const shown = await send(
      '/apis/new',
      { name: 'Orders', resource: 'https://orders.example', api_scopes: 'orders:read  Read <orders>\norders:see' },
      '/apis/new/api',
    );
    expect(heading(shown)).toBe('Secret of Orders');
    const page = await at('/apis');
    expect(page.text).toContain('https://orders.example');
    const { id } = (await gatehouse.clients.findByResource('https://orders.example'))!;
    expect((await at(`/apis/${id}`)).text).toContain('Read &lt;orders&gt;');
    await send(`/apis/${id}/edit`, {
      name: 'Orders 2',
      api_scopes: 'orders:read Read orders\norders:write',
      access_token_lifetime: '300',
    });
    expect(await gatehouse.clients.get(id)).toMatchObject({
      scope: 'orders:read orders:write',
      scope_descriptions: { 'orders:read': 'Read orders' },
      access_token_lifetime: 300,
    });
    const wrong = await send(`/apis/${id}/edit`, { access_token_lifetime: 'soon' });
    expect([wrong.status, alertText(wrong)]).toEqual([400, expect.stringContaining('30 to 86400')]);
    expect((await at(`/apps/${id}`)).status).toBe(404);
  });

  it('that are part of the program cannot be changed', async () => {
    const page = await at('/apps/gatehouse-console/edit');
    const answer = await browser.submit(page, { name: 'Mine' }, '/edit');
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect((await gatehouse.clients.get('gatehouse-console')).client_name).toBe('Gatehouse');
  });

  it('have snippets with their own values and without their secret', async () => {
    const app = await gatehouse.app({ redirect_uris: ['https://notes.example/oauth2/callback'] });
    const first = await at(`/apps/${app.client_id}/snippets`);
    const names = first.html.querySelectorAll('.gh-tabs a');
    expect(names.map((link) => link.text)).toEqual([
      'openid-client',
      'Auth.js',
      'Passport',
      'Spring Security',
      'oauth2-proxy',
      'mod_auth_openidc',
      'Grafana',
      'Nextcloud',
      'GitLab',
      'Argo CD',
    ]);
    for (const link of names) {
      const page = await browser.open(link.getAttribute('href')!);
      const text = page.html.querySelector('pre')!.text;
      expect([link.text, text.includes(app.client_id), text.includes(gatehouse.issuer)]).toEqual([
        link.text,
        true,
        true,
      ]);
      expect(page.text).not.toContain(app.client_secret!);
      const fits = ['oauth2-proxy', 'openid-client', 'Passport', 'mod_auth_openidc'].includes(link.text);
      expect([link.text, page.html.querySelector('.gh-callout--warn') === null]).toEqual([link.text, fits]);
    }
  });
});

describe('what happened', () => {
  it('is listed with who did it, and found by kind and person', async () => {
    const person = await gatehouse.person({ name: 'Audited Person' });
    await confirm(`/people/${person.sub}/suspend`);
    const page = await at(`/audit?target=${person.sub}&type=suspended`);
    expect(page.html.querySelectorAll('.gh-row--event')).toHaveLength(1);
    expect(page.text).toContain('Audited Person');
    expect(page.text).toContain('Grace Hopper');
    expect(
      (await at(`/audit?target=${encodeURIComponent(person.email)}`)).html.querySelectorAll('.gh-row--event').length,
    ).toBeGreaterThan(0);
    expect((await at('/audit?after=nonsense')).status).toBe(200);
  });

  it('is drawn on the overview, beside what wants attention', async () => {
    const page = await at('');
    expect(page.html.querySelectorAll('.gh-chart rect').length).toBe(28);
    expect(page.text).toContain('These admins have no second factor');
    expect(heading(await at('/keys'))).toBe('Signing keys');
  });
});
