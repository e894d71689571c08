/** Providers that admins add while all runs, on two processes with one store. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminApi, programToken } from '../../support/admin-api.ts';
import type { Api } from '../../support/admin-api.ts';
import { Browser } from '../../support/browser.ts';
import { eventually } from '../../support/eventually.ts';
import { apply, exported, inShort, planOf, problemsOf } from '../../support/files.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { startInstances } from '../../support/instances.ts';
import type { Instances } from '../../support/instances.ts';
import { freePort } from '../../support/ports.ts';
import { clickThrough, relyingParty } from '../../support/relying-party.ts';
import { hasButton, press } from '../../support/upstream.ts';

const CANARY = `canary-${randomBytes(16).toString('hex')}`;

describe('a provider that an admin adds', () => {
  let company: Running;
  let instances: Instances;
  let first: Running;
  let second: Running;
  let api: Api;
  let settings: Record<string, unknown>;
  beforeAll(async () => {
    company = await startGatehouse();
    instances = await startInstances({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    [first, second] = instances.all;
    api = adminApi(first, await programToken(first));
    const { client_id, client_secret } = await company.app({
      redirect_uris: [`${first.issuer}/federation/company/callback`],
    });
    settings = { type: 'oidc', issuer: company.issuer, client_id, client_secret, display_name: 'The Company' };
  });
  afterAll(async () => {
    await instances.stop();
    await company.stop();
  });

  /** Another process follows within a second; the test waits a little longer for a busy machine. */
  const seenAt = (running: Running, name: string) => running.providers.find(name)?.display_name;
  async function page(running: Running) {
    const rp = await relyingParty(running, await running.app());
    const browser = new Browser(running.issuer);
    const { url, checks } = await rp.request();
    return { rp, browser, checks, page: await browser.open(url) };
  }

  it('signs people in at every process, without a restart', async () => {
    const { status, headers, body } = await api.post('/providers', { name: 'company', ...settings });
    expect([status, headers.get('location')]).toEqual([201, `${first.issuer}/admin/api/v1/providers/company`]);
    expect(body).toMatchObject({ source: 'store', enabled: true, has_secret: true, trust_email: true });
    expect(body['redirect_uri']).toBe(`${first.issuer}/federation/company/callback`);
    expect(seenAt(first, 'company')).toBe('The Company');
    await eventually(async () => expect(seenAt(second, 'company')).toBe('The Company'));

    const person = await company.person({ name: 'Grace Hopper' });
    const { rp, browser, checks, page: signIn } = await page(first);
    const there = new Browser(company.issuer);
    let back = await browser.open(await clickThrough(there, await press(browser, signIn, 'company'), person));
    if (back.html.querySelector('button[name=decision]')) back = await browser.submit(back, { decision: 'allow' });
    expect((await rp.redeem(back.url, checks)).claims()!.sub).toBeTypeOf('string');
  });

  it('answers whether it is one when it is asked', async () => {
    const good = await api.post('/providers/company/test');
    expect(good.body).toMatchObject({ ok: true, answer: { issuer: company.issuer } });
    const port = await freePort();
    await api.post('/providers', { ...settings, name: 'nobody', issuer: `http://localhost:${port}` });
    expect((await api.post('/providers/nobody/test')).body).toMatchObject({ ok: false, problem: 'unavailable' });
    expect((await api.delete('/providers/nobody')).status).toBe(204);
  });

  it('is changed by what is named, but not over what somebody else has changed meanwhile', async () => {
    const before = await api.get('/providers/company');
    const etag = before.headers.get('etag')!;
    const changed = await api.patch('/providers/company', { display_name: 'Acme' }, { 'if-match': etag });
    expect(changed.body).toMatchObject({ display_name: 'Acme', issuer: company.issuer, has_secret: true });
    expect((await api.patch('/providers/company', { display_name: 'Late' }, { 'if-match': etag })).status).toBe(412);
    await eventually(async () => expect(seenAt(second, 'company')).toBe('Acme'));
    const reset = await api.patch('/providers/company', { display_name: null });
    expect(reset.body['display_name']).toBeUndefined();
    expect((await api.patch('/providers/company', { type: 'google' })).status).toBe(400);
    const wrong = await api.patch('/providers/company', { issuer: 'ftp://x' });
    expect([wrong.status, JSON.stringify(wrong.body)]).toEqual([400, expect.stringContaining('#/issuer')]);
  });

  it('is offered to nobody while it is off, and lets nobody back who set out before', async () => {
    const { browser, page: signIn } = await page(first);
    const away = await press(browser, signIn, 'company');
    await api.patch('/providers/company', { enabled: false });
    const arrived = await browser.open(
      `${first.issuer}/federation/company/callback?state=${away.searchParams.get('state')}&code=x`,
    );
    expect(arrived.status).toBe(404);
    expect(hasButton((await page(first)).page, 'company')).toBe(false);
    await eventually(async () => expect(seenAt(second, 'company')).toBeUndefined());
    expect((await api.post('/providers/company/test')).status).toBe(409);
    await api.patch('/providers/company', { enabled: true });
    expect(hasButton((await page(first)).page, 'company')).toBe(true);
  });

  it('can be named by apps as soon as it is there, and stays while one does', async () => {
    const { client_id } = await first.app({ identity_providers: ['company'] });
    expect((await api.delete('/providers/company')).status).toBe(409);
    await first.clients.delete(client_id);
  });

  it('comes from files, and goes with them; its export applies to nothing', async () => {
    const text = `kind: provider
name: partner
type: oidc
issuer: ${company.issuer}
client_id: us
client_secret: env:PARTNER_SECRET
trust_email: false
---
kind: client
client_id: wiki
type: web
client_name: Wiki
redirect_uris: [https://wiki.example/]
identity_providers: [partner]
`;
    const env = { PARTNER_SECRET: CANARY };
    expect(inShort(await planOf(first, text, { env }))).toEqual([
      'create provider partner: type client_id trust_email issuer client_secret',
      'create client wiki: type redirect_uris identity_providers',
    ]);
    await apply(first, text, { env });
    expect(inShort(await planOf(second, text, { env }))).toEqual([]);
    const other = await planOf(first, text, { env: { PARTNER_SECRET: 'another' } });
    expect(other[0]!.changes).toEqual([{ field: 'client_secret', old: '(another)', new: 'env:PARTNER_SECRET' }]);
    const written = await exported(second);
    expect(inShort(await planOf(first, written, { prune: true }))).toEqual([]);
    expect(await problemsOf(first, text.replace('trust_email', 'trust_emial'), { env })).toEqual([
      'all.yaml:7: trust_emial is not known; the nearest is trust_email',
    ]);
    const rest = written.split('---\n').filter((one) => !/name: partner|client_id: wiki/.test(one));
    const gone = inShort(await planOf(first, rest.join('---\n'), { prune: true }));
    expect(gone).toEqual(['remove client wiki: ', 'remove provider partner: ']);
    await apply(first, rest.join('---\n'), { prune: true });
    await eventually(async () => expect(second.providers.find('partner')).toBeUndefined());
  });

  it('keeps its secret through a change of the encryption key, and shows it nowhere', async () => {
    await api.post('/providers', { ...settings, name: 'sealed', client_secret: CANARY });
    await api.patch('/providers/sealed', { client_secret: `${CANARY}-2`, display_name: 'Sealed' });
    const stored = await first.storage.liveDocuments.read('providers');
    const shown = [
      (await api.get('/providers')).body,
      (await api.get('/providers/sealed')).body,
      (await first.audit.search({ limit: 100, after: undefined })).items,
      first.logged,
      stored,
      await exported(first),
    ];
    expect(JSON.stringify(shown)).not.toContain(CANARY);
    const { items } = await first.audit.search({ type: 'provider_changed', limit: 1, after: undefined });
    expect(items[0]?.detail).toMatchObject({ provider: 'sealed', client_secret: 'replaced' });
    expect(await first.keys.reseal()).toMatchObject({ providers: 0, unreadable: 0 });
    await api.delete('/providers/sealed');
  });
});
