/** Providers and settings in the console. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../../src/administration/principal.ts';
import type { Browser, Page } from '../../support/browser.ts';
import { anAdmin, openConsole } from '../../support/console.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { alertText, backToNow, fieldValue, heading } from '../../support/journey.ts';
import type { Person } from '../../support/journey.ts';
import { statusText } from '../../support/portal.ts';
import { startWithUpstreams } from '../../support/upstream.ts';

const CANARY = 'canary-that-a-company-gave-us';

let company: Running;
let gatehouse: Running;
let admin: Person;
let browser: Browser;
beforeAll(async () => {
  company = await startGatehouse();
  gatehouse = await startWithUpstreams(
    { google: { type: 'google', client_id: 'us', client_secret: CANARY } },
    { GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true', GATEHOUSE_LIMITS_ENABLED: 'false' },
  );
  ({ admin, browser } = await anAdmin(gatehouse));
});
afterAll(async () => {
  await gatehouse.stop();
  await company.stop();
});
afterEach(backToNow);

const at = (path: string) => openConsole(browser, admin, path);
async function send(path: string, values: Record<string, string>, action = path): Promise<Page> {
  return browser.submit(await at(path), values, action);
}

describe('providers in the console', () => {
  it('are added with what the provider gave, tested, changed, turned off and removed', async () => {
    const typed = { provider_name: 'Company', client_id: 'us', client_secret: CANARY, issuer: company.issuer };
    const wrong = await send('/providers/NEW/oidc', typed);
    expect([wrong.status, alertText(wrong)]).toEqual([400, expect.stringContaining('small letters')]);
    expect([fieldValue(wrong, 'issuer'), fieldValue(wrong, 'client_secret')]).toEqual([company.issuer, '']);
    const added = await send('/providers/NEW/oidc', { ...typed, provider_name: 'company' });
    expect([heading(added), statusText(added)]).toEqual(['company', 'company was added.']);
    expect(added.text).toContain(`${gatehouse.issuer}/federation/company/callback`);
    expect(statusText(await browser.submit(added, {}, '/test'))).toBe('company answers as it should.');

    const edited = await send('/providers/company/edit', { display_name: 'The Company', client_secret: '' });
    expect(statusText(edited)).toBe('The Company was saved.');
    expect(gatehouse.providers.find('company')?.display_name).toBe('The Company');
    expect(statusText(await browser.submit(await at('/providers/company'), {}, '/disable'))).toBe(
      'The Company is off.',
    );
    expect(gatehouse.providers.find('company')).toBeUndefined();
    await browser.submit(await at('/providers/company'), {}, '/enable');
    expect(gatehouse.providers.find('company')).toBeDefined();
    for (const path of ['/providers', '/providers/company', '/providers/company/edit', '/providers/google', '/audit'])
      expect((await at(path)).text).not.toContain(CANARY);
    expect(statusText(await send('/providers/company/delete', {}))).toBe('The Company was removed.');
    expect(gatehouse.providers.find('company')).toBeUndefined();
  });

  it('show those of the configuration without ways to change them', async () => {
    const page = await at('/providers/google');
    expect(page.text).toContain('set in the configuration');
    expect(page.html.querySelector('a[href$="/edit"]')).toBeNull();
    expect((await at('/providers/nobody')).status).toBe(404);
  });

  it('keep what two admins type at once apart', async () => {
    const input = { name: 'shared', type: 'oidc', issuer: company.issuer, client_id: 'us' };
    await gatehouse.upstreams.create(OPERATOR, input);
    const form = await at('/providers/shared/edit');
    await gatehouse.upstreams.update(OPERATOR, 'shared', { client_id: 'theirs' });
    const overtaken = await browser.submit(form, { client_id: 'mine' }, '/edit');
    expect([overtaken.status, alertText(overtaken)]).toEqual([412, expect.stringContaining('theirs')]);
    expect(fieldValue(overtaken, 'client_id')).toBe('mine');
  });
});

describe('settings in the console', () => {
  it('are in force when they are saved, and as configured again when they are emptied', async () => {
    const saved = await send('/settings', { brand_name: 'Acme <b>', lifetimes_session: '3600' });
    expect(statusText(saved)).toBe('The settings were saved.');
    expect(await (await fetch(gatehouse.issuer)).text()).toContain('Acme &lt;b&gt;');
    expect(fieldValue(await at('/settings'), 'lifetimes_session')).toBe('3600');
    await send('/settings', { brand_name: '', lifetimes_session: '' });
    const { items } = await gatehouse.settings.list();
    expect(items.filter(({ source }) => source === 'set')).toEqual([]);
  });

  it('say what is set over the configuration, and go back to it one by one', async () => {
    const set = await send('/settings', { brand_name: 'Acme', sign_up_enabled: 'false' });
    const about = (page: Page, name: string) =>
      page.html.querySelector(`#${name}-over`)?.text.replace(/\s+/g, ' ').trim();
    expect(about(set, 'brand_name')).toBe('Set here Configuration: Gatehouse Reset');
    expect(about(set, 'sign_up_enabled')).toBe('Set here Configuration: On Reset');
    expect(about(set, 'lifetimes_session')).toBe('Configuration: 86400');
    const button = set.html.querySelector('#brand_name-over button')!;
    // Enter in a field must never reset one.
    expect(button.getAttribute('form')).toBe('back-to-configured');
    const reset = await browser.submit(set, { setting: button.getAttribute('value') }, '/settings/reset');
    expect([statusText(reset), about(reset, 'brand_name')]).toEqual([
      'The setting is as configured again.',
      'Configuration: Gatehouse',
    ]);
    expect(about(reset, 'sign_up_enabled')).toContain('Set here');
    await send('/settings', { sign_up_enabled: '' });
  });

  it('can be chosen where there is little to choose from, and be lists, also empty ones', async () => {
    const form = await at('/settings');
    const choices = (name: string) => form.html.querySelectorAll(`#${name} option`).map(({ text }) => text);
    expect(choices('factors_policy')).toEqual([
      'As configured',
      'Off: neither offered nor asked for',
      'Whoever has one is asked for it',
      'Everybody must have one',
    ]);
    expect(choices('brand_locale')).toEqual(expect.arrayContaining(['As configured', 'Deutsch (de)', '日本語 (ja)']));
    const roles = async () =>
      (await gatehouse.settings.list()).items.find(({ key }) => key === 'factors.required_roles')!;
    await send('/settings', { factors_required_roles: 'editor\nfinance', brand_locale: 'de' });
    expect(await roles()).toMatchObject({ value: ['editor', 'finance'], source: 'set' });
    await send('/settings', { factors_required_roles: '-', brand_locale: '' });
    expect(await roles()).toMatchObject({ value: [], source: 'set' });
    // What is not touched stays as it is.
    await send('/settings', { brand_name: '' });
    expect(await roles()).toMatchObject({ value: [], source: 'set' });
    await send('/settings', { factors_required_roles: '' });
    expect(await roles()).toMatchObject({ source: 'config' });
  });

  it('say at the field what is wrong, and keep what was typed', async () => {
    const wrong = await send('/settings', { brand_accent: 'blue', brand_name: 'Kept' });
    expect([wrong.status, fieldValue(wrong, 'brand_name')]).toEqual([400, 'Kept']);
    expect(wrong.html.querySelector('[name="brand_accent"]')?.getAttribute('aria-invalid')).toBe('true');
    const number = await send('/settings', { lifetimes_session: 'long' });
    expect([number.status, number.html.querySelectorAll('[aria-invalid]').length]).toEqual([400, 1]);
  });

  it('keep what two admins type at once apart', async () => {
    const form = await at('/settings');
    await gatehouse.settings.change(OPERATOR, { 'brand.name': 'Theirs' });
    const overtaken = await browser.submit(form, { brand_name: 'Mine' }, '/settings');
    expect([overtaken.status, alertText(overtaken)]).toEqual([412, expect.stringContaining('Theirs')]);
  });
});
