/** What admins set while all runs, on two processes with one store. */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { adminApi, programToken } from '../support/admin-api.ts';
import type { Api } from '../support/admin-api.ts';
import { Browser } from '../support/browser.ts';
import { as } from '../support/endpoints.ts';
import { apply, exported, inShort, planOf, problemsOf } from '../support/files.ts';
import type { Running } from '../support/gatehouse.ts';
import { startInstances } from '../support/instances.ts';
import type { Instances } from '../support/instances.ts';
import { relyingParty } from '../support/relying-party.ts';

describe('a setting that an admin changes', () => {
  let instances: Instances;
  let first: Running;
  let second: Running;
  let api: Api;
  beforeAll(async () => {
    instances = await startInstances({ GATEHOUSE_BRAND_NAME: 'As configured' });
    [first, second] = instances.all;
    api = adminApi(first, await programToken(first));
  });
  afterAll(() => instances.stop());

  /** Another process follows within a second; the test waits a little longer for a busy machine. */
  const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 50 });
  const set = (body: Record<string, unknown>) => api.patch('/settings', body);
  const landing = async ({ issuer }: Running) => (await fetch(issuer)).text();
  const one = async (key: string) =>
    ((await api.get('/settings')).body['items'] as Record<string, unknown>[]).find((item) => item['key'] === key);

  it('is in force at every process, and goes back to what is configured', async () => {
    expect(await one('brand.name')).toMatchObject({ value: 'As configured', source: 'config', changed_at: null });
    expect((await set({ 'brand.name': 'Acme Login' })).status).toBe(200);
    expect(await landing(first)).toContain('Acme Login');
    await soon(async () => expect(await landing(second)).toContain('Acme Login'));
    expect(await one('brand.name')).toMatchObject({ value: 'Acme Login', source: 'set', configured: 'As configured' });

    await set({ 'brand.name': null });
    expect(await landing(first)).toContain('As configured');
    await soon(async () => expect(await landing(second)).not.toContain('Acme Login'));
    expect(await one('brand.name')).toMatchObject({ source: 'config' });
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

  it('is checked, and lost to nobody who saved at the same time', async () => {
    const wrong: Record<string, unknown> = {
      'brand.name': '',
      'brand.accent': 'red; } body { display: none',
      'brand.privacy_url': 'javascript:alert(1)',
      'brand.theme': '../../etc',
      'lifetimes.access_token': 5,
      'lifetimes.session': 1e9,
      'sign_up.enabled': 'yes',
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
