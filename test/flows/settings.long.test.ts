/** What admins set while all runs, on two processes with one store. */
import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminApi, programToken } from '../support/admin-api.ts';
import type { Api } from '../support/admin-api.ts';
import { Browser } from '../support/browser.ts';
import { as } from '../support/endpoints.ts';
import { eventually } from '../support/eventually.ts';
import { apply, exported, inShort, planOf, problemsOf } from '../support/files.ts';
import type { Running } from '../support/gatehouse.ts';
import { startInstances } from '../support/instances.ts';
import type { Instances } from '../support/instances.ts';
import { begin, browserFor, enterPassword, heading } from '../support/journey.ts';
import { openAccount } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';

const BREACHED = 'my summer in Norway';
const sha1 = (text: string) => hash('sha1', text, 'hex').toUpperCase();

describe('a setting that an admin changes', () => {
  let instances: Instances;
  let first: Running;
  let second: Running;
  let api: Api;
  let other: Api;
  let breaches: Server;
  beforeAll(async () => {
    breaches = createServer((_request, response) => response.end(`${sha1(BREACHED).slice(5)}:17`));
    await new Promise<void>((resolve) => breaches.listen(0, '127.0.0.1', resolve));
    instances = await startInstances({
      GATEHOUSE_BRAND_NAME: 'As configured',
      GATEHOUSE_PASSWORDS_BREACH_CHECK: 'false',
      GATEHOUSE_PASSWORDS_BREACH_CHECK_URL: `http://127.0.0.1:${(breaches.address() as AddressInfo).port}/range`,
    });
    [first, second] = instances.all;
    const token = await programToken(first);
    [api, other] = [adminApi(first, token), adminApi(second, token)];
  });
  afterAll(async () => {
    await instances.stop();
    breaches.closeAllConnections();
    breaches.close();
  });

  /** Another process follows within a second; the test waits a little longer for a busy machine. */
  const set = (body: Record<string, unknown>) => api.patch('/settings', body);
  /** At the other process. */
  const elsewhere = (body: Record<string, unknown>) => other.patch('/settings', body);
  const landing = async ({ issuer }: Running) => (await fetch(issuer)).text();
  const one = async (key: string) =>
    ((await api.get('/settings')).body['items'] as Record<string, unknown>[]).find((item) => item['key'] === key);

  it('is in force at every process, and goes back to what is configured', async () => {
    expect(await one('brand.name')).toMatchObject({ value: 'As configured', source: 'config', changed_at: null });
    expect((await set({ 'brand.name': 'Acme Login' })).status).toBe(200);
    expect(await landing(first)).toContain('Acme Login');
    await eventually(async () => expect(await landing(second)).toContain('Acme Login'));
    expect(await one('brand.name')).toMatchObject({ value: 'Acme Login', source: 'set', configured: 'As configured' });

    await set({ 'brand.name': null });
    expect(await landing(first)).toContain('As configured');
    await eventually(async () => expect(await landing(second)).not.toContain('Acme Login'));
    expect(await one('brand.name')).toMatchObject({ source: 'config' });
  });

  it('names what people sign in to, and new passkeys', async () => {
    const person = await first.person();
    const account = await first.accounts.get(person.sub);
    const named = async (at: Running) => [
      (await at.clients.find('gatehouse-account'))!.client_name,
      (await at.clients.find('gatehouse-console'))!.client_name,
      ((await at.passkeys!.registrationOptions('a browser', account)) as { rp: { name: string } }).rp.name,
    ];
    const signInPage = async () => (await new Browser(first.issuer).open('/account')).html.querySelector('h1')!.text;
    expect(await signInPage()).toContain('As configured');
    await elsewhere({ 'brand.name': 'Acme Door' });
    await eventually(async () => expect(await named(first)).toEqual(['Acme Door', 'Acme Door', 'Acme Door']));
    await eventually(async () => expect(await signInPage()).toContain('Acme Door'));
    await elsewhere({ 'brand.name': null });
    await eventually(async () => expect(await named(first)).toEqual(Array(3).fill('As configured')));
  });

  it('colours the pages, of which no browser keeps old ones', async () => {
    await set({ 'brand.accent': '#123456' });
    const css = await fetch(`${first.issuer}/assets/brand.css`);
    expect([css.headers.get('cache-control'), await css.text()]).toEqual([
      'no-cache',
      expect.stringContaining('#123456'),
    ]);
    const etag = css.headers.get('etag');
    await set({ 'brand.accent': null });
    expect((await fetch(`${first.issuer}/assets/brand.css`)).headers.get('etag')).not.toBe(etag);
  });

  it('opens and closes sign-up', async () => {
    const rp = await relyingParty(first, await first.app());
    const browser = new Browser(first.issuer);
    const page = await browser.open((await rp.request()).url);
    const link = page.html.querySelector('a[href$="/sign-up"]')!.getAttribute('href')!;
    await set({ 'sign_up.enabled': false });
    expect((await browser.open(new URL(link, first.issuer))).status).toBe(404);
    expect((await browser.open((await rp.request()).url)).html.querySelector('a[href$="/sign-up"]')).toBeNull();
    await set({ 'sign_up.enabled': true });
    expect((await browser.open(new URL(link, first.issuer))).status).toBe(200);
  });

  it('shortens what is issued from then on', async () => {
    const program = await first.app({ type: 'service', name: 'Nightly' });
    const { resource } = await first.app({ type: 'api', name: 'Notes', resource: 'https://notes.example/' });
    const life = async () => {
      const { body } = await as(first, program).clientCredentials({ resource: resource! });
      const { exp, iat } = decodeJwt(body['access_token'] as string);
      return exp! - iat!;
    };
    expect(await life()).toBe(900);
    await set({ 'lifetimes.access_token': 120 });
    expect(await life()).toBe(120);
    await set({ 'lifetimes.access_token': null });
  });

  it('asks for longer passwords from then on, and leaves those that there are', async () => {
    const short = await first.person({ password: 'eleven, so' });
    await elsewhere({ 'passwords.min_length': 14 });
    await eventually(() =>
      expect(first.person({ password: 'thirteen sign' })).rejects.toThrow('at least 14 characters'),
    );
    const rp = await relyingParty(first, await first.app());
    const browser = new Browser(first.issuer);
    const page = await browser.open((await rp.request()).url);
    const form = await browser.open(page.html.querySelector('a[href$="/sign-up"]')!.getAttribute('href')!);
    expect(form.html.querySelector('#password')!.getAttribute('minlength')).toBe('14');
    const refused = await browser.submit(form, { name: 'Ada', email: 'ada@example.com', password: 'thirteen sign' });
    expect(refused.html.querySelector('#password-error')!.text).toContain('14');
    expect(await first.accounts.authenticate(short.email, 'eleven, so')).toMatchObject({ id: short.sub });
    await elsewhere({ 'passwords.min_length': null });
  });

  it('has new passwords looked up among those that leaked', async () => {
    await first.person({ password: BREACHED });
    await elsewhere({ 'passwords.breach_check': true });
    await eventually(() => expect(first.person({ password: BREACHED })).rejects.toThrow('known from a data breach'));
    await elsewhere({ 'passwords.breach_check': null });
    await eventually(async () => void (await first.person({ password: BREACHED })));
  });

  it('says who must have a second factor', async () => {
    const rp = await relyingParty(first, await first.app({ first_party: true }));
    const signIn = async (person: { email: string; password: string }) => {
      const browser = browserFor(rp);
      return heading(await enterPassword(browser, await begin(rp, browser), person));
    };
    const [anybody, editor] = [await first.person(), await first.person({ roles: ['editor'] })];
    await elsewhere({ 'factors.required_roles': ['editor'] });
    await eventually(async () => expect(await signIn(editor)).toBe('Add a second step'));
    expect(await signIn(anybody)).not.toBe('Add a second step');
    await elsewhere({ 'factors.policy': 'required' });
    await eventually(async () => expect(await signIn(anybody)).toBe('Add a second step'));

    const browser = new Browser(first.issuer);
    await elsewhere({ 'factors.policy': 'optional' });
    await eventually(async () => expect(await signIn(anybody)).not.toBe('Add a second step'));
    expect((await openAccount(browser, anybody, '/authenticator')).status).toBe(200);
    await elsewhere({ 'factors.policy': 'off' });
    await eventually(async () => expect((await browser.open('/account/authenticator')).status).toBe(404));
    expect((await browser.open('/account')).html.querySelector('a[href$="/authenticator"]')).toBeNull();
    expect(await signIn(editor)).not.toBe('Add a second step');
    await elsewhere({ 'factors.policy': null, 'factors.required_roles': null });
    await eventually(async () => expect((await browser.open('/account/authenticator')).status).toBe(200));
  });

  it('is the language of whoever has said none', async () => {
    const lang = async (accept: string) => {
      const page = await fetch(first.issuer, { headers: { 'accept-language': accept } });
      return /<html lang="(.+?)"/.exec(await page.text())![1];
    };
    expect(await lang('tlh')).toBe('en');
    await elsewhere({ 'brand.locale': 'de' });
    await eventually(async () => expect(await lang('tlh')).toBe('de'));
    expect(await lang('fr, tlh')).toBe('fr');
    const letter = await first.mail.write({ to: 'ada@example.com', template: 'test', locale: '', data: {} });
    expect(letter.html).toContain('lang="de"');
    expect(await one('brand.locale')).toMatchObject({
      choices: expect.arrayContaining(['de', 'en', 'ja']) as string[],
    });
    await elsewhere({ 'brand.locale': null });
  });

  it('is checked, and lost to nobody who saved at the same time', async () => {
    const wrong: Record<string, unknown> = {
      'brand.name': '',
      'brand.accent': 'red; } body { display: none',
      'brand.privacy_url': 'javascript:alert(1)',
      'brand.theme': '../../etc',
      'lifetimes.access_token': 5,
      'lifetimes.session': 1e9,
      'sign_up.enabled': 'yes',
      'passwords.min_length': 7,
      'factors.policy': 'sometimes',
      'factors.required_roles': ['<b>'],
      'brand.locale': '../en',
      'mail.from': 'a@example.com\r\nBcc: everybody@example.com',
    };
    for (const [key, value] of Object.entries(wrong)) {
      const { status, body } = await set({ [key]: value });
      expect([key, status, JSON.stringify(body)]).toEqual([key, 400, expect.stringContaining(`#/${key}`)]);
    }
    for (const key of ['issuer', 'storage.url', 'secrets.encryption_key', 'limits.enabled', 'admin.api', '__proto__'])
      expect(
        (
          await api.call('PATCH', '/settings', {
            body: `{"${key}":null}`,
            headers: { 'if-match': '*', 'content-type': 'application/json' },
          })
        ).status,
      ).toBe(400);
    const etag = (await api.get('/settings')).headers.get('etag')!;
    expect((await api.patch('/settings', { 'brand.name': 'One' }, { 'if-match': etag })).status).toBe(200);
    expect((await api.patch('/settings', { 'brand.name': 'Two' }, { 'if-match': etag })).status).toBe(412);
    const { items } = await first.audit.search({ type: 'settings_changed', limit: 1, after: undefined });
    expect(items[0]).toMatchObject({ actor: { kind: 'client' }, detail: { 'brand.name': '"As configured" → "One"' } });
  });

  it('comes from a file, which says all of them', async () => {
    const text = 'kind: settings\nbrand.accent: "#aabbcc"\nlifetimes.session: 3600\n';
    expect(inShort(await planOf(first, text))).toEqual([
      'change settings settings: brand.name brand.accent sign_up.enabled lifetimes.session',
    ]);
    await apply(first, text);
    expect(inShort(await planOf(second, text))).toEqual([]);
    expect(await exported(second)).toContain(text);
    expect(await problemsOf(first, `${text}brand.accnt_dark: "#000000"\n`)).toEqual([
      'all.yaml:4: brand.accnt_dark is not known; the nearest is brand.accent_dark',
    ]);
    expect(await problemsOf(first, text.replace('3600', '1'))).toEqual([
      'all.yaml:3: lifetimes.session: must be at least 300',
    ]);
    expect(await problemsOf(first, `${text}brand.theme: none\n`)).toEqual([
      expect.stringMatching(/^all\.yaml:4: brand\.theme must be one of /),
    ]);
    // Without --prune what no file names stays.
    expect(inShort(await planOf(first, 'kind: api\nclient_name: X\n'))).toEqual(['create api X: ']);
    await apply(first, '', { prune: true });
    const { items } = await first.settings.list();
    expect(items.filter(({ source }) => source === 'set')).toEqual([]);
  });
});
