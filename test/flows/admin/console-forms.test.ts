/** Forms of the console: what becomes of what was typed. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../../src/administration/principal.ts';
import type { Browser, Page } from '../../support/browser.ts';
import { anAdmin, openConsole } from '../../support/console.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { backToNow, enterPassword, fieldValue, heading, passTime } from '../../support/journey.ts';
import type { Person } from '../../support/journey.ts';
import { statusText } from '../../support/portal.ts';

let gatehouse: Running;
let admin: Person;
let browser: Browser;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
  ({ admin, browser } = await anAdmin(gatehouse));
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

describe('a form that is sent when the last proof is too old', () => {
  it('is back after a fresh one with what was typed, says that nothing was saved, and saves by one button', async () => {
    const { admin: other, browser: theirs } = await anAdmin(gatehouse);
    const { client_id } = await gatehouse.app({ name: 'Kept', first_party: true });
    const page = await openConsole(theirs, other, `/apps/${client_id}/edit`);
    passTime(600);
    const asked = await theirs.submit(page, { name: 'Kept by me', first_party: undefined }, '/edit');
    expect(heading(asked)).toBe('Confirm it is you');
    const back = await enterPassword(theirs, asked, other);
    expect(statusText(back)).toContain('Nothing has been saved or done yet.');
    expect([fieldValue(back, 'name'), back.html.querySelector('#first_party')!.hasAttribute('checked')]).toEqual([
      'Kept by me',
      false,
    ]);
    const [form] = back.html.querySelectorAll('form').filter((one) => one.id === 'gh-form');
    expect(back.html.querySelector(`[role=status] button[type=submit][form=${form!.id}]`)!.text).toBe('Save');
    expect((await gatehouse.clients.get(client_id)).client_name).toBe('Kept');
    const saved = await theirs.submit(back, {}, '/edit');
    expect(statusText(saved)).toBe('Kept by me was saved.');
    expect(await gatehouse.clients.get(client_id)).toMatchObject({ client_name: 'Kept by me', first_party: false });
    const again = await openConsole(theirs, other, `/apps/${client_id}/edit`);
    expect(statusText(again)).toBe('');
  });

  it('that asks whether to do something says that it was not done', async () => {
    const { admin: other, browser: theirs } = await anAdmin(gatehouse);
    const { client_id } = await gatehouse.app({ name: 'Still There' });
    const path = `/apps/${client_id}/delete`;
    const page = await openConsole(theirs, other, path);
    passTime(600);
    const back = await enterPassword(theirs, await theirs.submit(page, {}, '/delete'), other);
    expect(heading(back)).toBe('Delete Still There?');
    expect(statusText(back)).toContain('Nothing has been saved or done yet.');
    expect(await gatehouse.clients.find(client_id)).toBeDefined();
    expect(statusText(await theirs.submit(back, {}, '/delete'))).toBe('Still There was deleted.');
  });

  it('is there again for whoever signs in again, as its session had ended, and for nobody else', async () => {
    for (const same of [true, false]) {
      const { admin: other, browser: theirs } = await anAdmin(gatehouse);
      const { client_id } = await gatehouse.app({ name: 'Half Typed' });
      const page = await openConsole(theirs, other, `/apps/${client_id}/edit`);
      await gatehouse.people.signOut(OPERATOR, other.sub);
      const asked = await theirs.submit(page, { name: 'Typed Half' }, '/edit');
      const somebody = same ? other : (await anAdmin(gatehouse)).admin;
      const back = await enterPassword(theirs, asked, somebody);
      expect([same, fieldValue(back, 'name'), statusText(back).includes('Nothing has been saved')]).toEqual(
        same ? [same, 'Typed Half', true] : [same, 'Half Typed', false],
      );
    }
  });
});

const at = (path: string) => openConsole(browser, admin, path);
/** What is offered to be ticked, and what of it is. */
const ticks = (page: Page, name: string) =>
  page.html.querySelectorAll(`input[type=checkbox][name=${name}]`).map((one) => one.getAttribute('value')!);
const ticked = (page: Page, name: string) =>
  page.html.querySelectorAll(`input[type=checkbox][name=${name}][checked]`).map((one) => one.getAttribute('value')!);
const proposed = (page: Page, name: string) =>
  page.html.querySelectorAll(`#${name}-offered option`).map((one) => one.getAttribute('value')!);

describe('what can be chosen', () => {
  it('of an app are scopes, APIs and themes that there are; what is chosen stays, known or not', async () => {
    await gatehouse.app({ type: 'api', name: 'Parcels', resource: 'https://parcels.example', scope: 'parcels:read' });
    const app = await gatehouse.app({ name: 'Chooser', scope: 'openid long:gone email' });
    const path = `/apps/${app.client_id}/edit`;
    const page = await at(path);
    expect(ticked(page, 'scope')).toEqual(['openid', 'long:gone', 'email']);
    expect(ticks(page, 'scope')).toContain('offline_access');
    expect([...ticks(page, 'scope'), ...proposed(page, 'scope')]).toContain('parcels:read');
    expect(page.html.querySelector('#scope')!.text).toContain('not on the list');
    expect(ticks(page, 'allowed_resources')).toContain('https://parcels.example');
    expect(page.html.querySelector('#default_resource')!.text).toContain('Parcels (https://parcels.example)');

    await browser.submit(page, {}, '/edit');
    expect((await gatehouse.clients.get(app.client_id)).scope).toBe('openid long:gone email');
    const more = { scope: ['openid', 'long:gone', 'parcels:read profile'] };
    await browser.submit(
      await at(path),
      { ...more, allowed_resources: 'https://parcels.example', default_resource: 'https://parcels.example' },
      '/edit',
    );
    expect(await gatehouse.clients.get(app.client_id)).toMatchObject({
      scope: 'openid long:gone parcels:read profile',
      allowed_resources: ['https://parcels.example'],
      default_resource: 'https://parcels.example',
    });
    await browser.submit(
      await at(path),
      { scope: undefined, allowed_resources: undefined, default_resource: '' },
      '/edit',
    );
    const { scope, allowed_resources, default_resource } = await gatehouse.clients.get(app.client_id);
    expect([scope, allowed_resources, default_resource]).toEqual([null, undefined, null]);
  });

  it('of a person are roles and groups; of very many those that they have, and the others by typing', async () => {
    for (let index = 0; index < 1000; index += 1)
      await gatehouse.storage.roles.insert('group', {
        id: `group_many_${index}`,
        name: `team-${index}`,
        description: `Team ${index}`,
        roles: [],
        former_names: [],
        created_at: new Date().toISOString(),
        updated_at: new Date().toISOString(),
        version: 1,
      });
    await gatehouse.roles.create(OPERATOR, { name: 'editor', description: 'Writes <articles>' });
    const { sub } = await gatehouse.person({ roles: ['ghost'] });
    const path = `/people/${sub}/roles`;
    const page = await at(path);
    expect([ticked(page, 'roles'), ticks(page, 'roles')]).toEqual([['ghost'], ['ghost', 'admin', 'editor']]);
    expect(page.text).toContain('Writes &lt;articles&gt;');
    expect([ticks(page, 'groups').length, proposed(page, 'groups').length]).toEqual([0, 1000]);

    const saved = await browser.submit(page, { roles: ['ghost', 'editor', ''], groups: 'team-7 team-999' }, '/roles');
    expect(statusText(saved)).toContain('was saved');
    expect(await gatehouse.accounts.get(sub)).toMatchObject({
      roles: ['ghost', 'editor'],
      groups: ['team-7', 'team-999'],
    });
    const again = await at(path);
    expect([ticked(again, 'groups'), proposed(again, 'groups').length]).toEqual([['team-7', 'team-999'], 998]);
    await browser.submit(again, { roles: undefined }, '/roles');
    expect(await gatehouse.accounts.get(sub)).toMatchObject({ roles: [], groups: ['team-7', 'team-999'] });
  });
});

describe('a form from before an upgrade', () => {
  /** As it was: without the fields that came since, and without saying which it has. */
  async function sendOld(path: string, values: Record<string, string>): Promise<Page> {
    const page = await at(path);
    const body = new URLSearchParams({
      _csrf: fieldValue(page, '_csrf'),
      version: fieldValue(page, 'version'),
      ...values,
    });
    return browser.open(`/admin${path}`, { method: 'POST', body });
  }

  it('leaves what it did not know as it is', async () => {
    const app = await gatehouse.app({
      name: 'Before',
      scope: 'openid email',
      access_token_lifetime: 120,
      policy_uri: 'https://before.example/privacy',
    });
    const saved = await sendOld(`/apps/${app.client_id}/edit`, {
      name: 'After',
      redirect_uris: app.redirect_uri,
      policy_uri: '',
    });
    expect(statusText(saved)).toBe('After was saved.');
    expect(await gatehouse.clients.get(app.client_id)).toMatchObject({
      client_name: 'After',
      scope: 'openid email',
      access_token_lifetime: 120,
      policy_uri: null,
    });
    const person = await gatehouse.person({ name: 'Known' });
    await gatehouse.accounts.edit(person.sub, { claims: { website: 'https://known.example', nickname: 'K' } });
    await sendOld(`/people/${person.sub}/edit`, { name: 'Known', nickname: '' });
    const { claims } = await gatehouse.accounts.get(person.sub);
    expect([claims.website, claims.nickname]).toEqual(['https://known.example', undefined]);
  });

  it('that says which fields it had unticks those of them that are not ticked, and no others', async () => {
    const app = await gatehouse.app({
      first_party: true,
      protocol: { require_pushed_authorization_requests: true },
    });
    const path = `/apps/${app.client_id}/edit`;
    await sendOld(path, { name: 'Ticks', redirect_uris: app.redirect_uri, _fields: 'name redirect_uris first_party' });
    expect(await gatehouse.clients.get(app.client_id)).toMatchObject({
      first_party: false,
      protocol: { require_pushed_authorization_requests: true },
    });
  });
});
