/** Roles, groups, claims and the preview of tokens in the console. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../../src/administration/principal.ts';
import type { Browser, Page } from '../../support/browser.ts';
import { anAdmin } from '../../support/console.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { alertText, heading } from '../../support/journey.ts';

let gatehouse: Running;
let browser: Browser;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  ({ browser } = await anAdmin(gatehouse));
});
afterAll(() => gatehouse.stop());

const at = (path: string): Promise<Page> => browser.open(`/admin${path}`);
const statusText = (page: Page): string => page.html.querySelector('[role=status]')?.text.trim() ?? '';
const send = async (path: string, values: Record<string, string>, action = path) =>
  browser.submit(await at(path), values, action);

describe('roles and groups', () => {
  it('are made, shown, changed and deleted', async () => {
    expect((await at('/roles')).text).toContain('No role yet');
    const made = await send('/roles/new', {
      name: 'writer',
      description: 'Writes <b>articles</b>',
      permissions: 'notes:write\nnotes:read',
    });
    expect(statusText(made)).toBe('writer was registered.');
    expect(made.text).toContain('Writes &lt;b&gt;articles&lt;/b&gt;');
    expect(await gatehouse.roles.get('writer')).toMatchObject({ permissions: ['notes:read', 'notes:write'] });
    const wrong = await send('/roles/new', { name: 'two words' });
    expect([wrong.status, alertText(wrong)]).toEqual([400, expect.stringContaining('letters')]);
    const taken = await send('/roles/new', { name: 'writer' });
    expect(alertText(taken)).toContain('already');
    await send('/groups/new', { name: 'newsroom', roles: 'writer' });
    const changed = await send('/roles/writer', { name: 'author' });
    expect(statusText(changed)).toBe('author was saved.');
    expect((await gatehouse.groups.get('newsroom')).roles).toEqual(['author']);
    expect(heading(await at('/roles/author/delete'))).toBe('Delete the role author?');
    expect(statusText(await send('/roles/author/delete', {}, '/roles/author/delete'))).toBe('author was deleted.');
    expect((await gatehouse.groups.get('newsroom')).roles).toEqual([]);
    expect((await at('/groups?search=news')).text).toContain('newsroom');
    expect((await at('/groups?search=none')).text).toContain('Nothing found');
  });

  it('are those of people, who are found by them', async () => {
    await gatehouse.groups.create(OPERATOR, { name: 'berlin', roles: ['local'] });
    const person = await gatehouse.person({ name: 'Lise Meitner' });
    await send(`/people/${person.sub}/roles`, { roles: 'plain', groups: 'berlin' });
    expect(await gatehouse.people.get(person.sub)).toMatchObject({ roles: ['plain'], groups: ['berlin'] });
    expect((await at(`/people/${person.sub}`)).text).toContain('berlin');
    const found = await at('/people?group=berlin');
    expect(found.html.querySelectorAll('main .gh-row')).toHaveLength(1);
    const wrong = await send(`/people/${person.sub}/roles`, { groups: 'nowhere' });
    expect([wrong.status, alertText(wrong)]).toEqual([400, expect.stringContaining('no group is called nowhere')]);
  });

  it('that somebody else has changed meanwhile are not overwritten unseen', async () => {
    await gatehouse.roles.create(OPERATOR, { name: 'shared' });
    const page = await at('/roles/shared');
    await gatehouse.roles.update(OPERATOR, 'shared', { description: 'Theirs' });
    const late = await browser.submit(page, { description: 'Mine' }, '/roles/shared');
    expect(late.status).toBe(412);
    expect(late.text).toContain('Theirs');
    const saved = await browser.submit(late, {}, '/roles/shared');
    expect(statusText(saved)).toBe('shared was saved.');
    expect(await gatehouse.roles.get('shared')).toMatchObject({ description: 'Mine' });
  });
});

describe('claims', () => {
  it('are added, changed and removed row by row', async () => {
    const { client_id } = await gatehouse.app({ name: 'Grafana' });
    const rules = async () => (await gatehouse.claimTables.get(client_id)).rules;
    const path = `/claims/${client_id}`;
    const added = await send(`${path}/rows/new`, {
      claim: 'realm_access > roles',
      source: 'roles',
      prefix: 'grafana-',
      scope: 'openid',
    });
    expect([heading(added), statusText(added)]).toEqual([
      'Claims for Grafana',
      'The claims were saved. The next token says so.',
    ]);
    const into = ['id_token', 'access_token', 'userinfo'];
    const first = {
      claim: ['realm_access', 'roles'],
      source: 'roles',
      prefix: 'grafana-',
      when: { scope: 'openid' },
      into,
    };
    expect(await rules()).toEqual([first]);
    await send(`${path}/rows/new`, { claim: 'level', source: 'constant', value: '3' });
    const edited = await send(`${path}/rows/2`, { source: 'constant', value: '"3"' });
    expect([edited.status, alertText(edited)]).toEqual([200, '']);
    expect(await rules()).toEqual([first, { claim: ['level'], source: 'constant', value: '3', into }]);
    const wrong = await send(`${path}/rows/2`, { source: 'roles', claim: 'sub' });
    expect([wrong.status, alertText(wrong)]).toEqual([400, expect.stringContaining('the protocol itself says sub')]);
    await browser.submit(await at(path), {}, '/rows/1/remove');
    expect((await rules()).map(({ claim }) => claim)).toEqual([['level']]);
    expect((await at(`${path}/rows/9`)).status).toBe(404);
    expect((await at('/claims')).text).toContain('Grafana');
  });
});

describe('the preview', () => {
  it('shows each token with where its claims come from, and says why there is none', async () => {
    const app = await gatehouse.app({ first_party: true });
    const person = await gatehouse.person({ roles: ['reader'] });
    await gatehouse.claimTables.set(OPERATOR, app.client_id, [
      { claim: ['teams'], source: 'roles', into: ['id_token'] },
    ]);
    const page = await at(`/preview?client_id=${app.client_id}&person=${person.email}&scope=openid%20email`);
    const id = page.html.querySelector('#id_token')!.parentNode!.text;
    expect(id).toMatch(/teams\s*\["reader"\]\s+Row 1 of the app/);
    expect(id).toMatch(/email\s*"[^"]+"\s+Scope\s+email/);
    expect(page.html.querySelector('#userinfo')).not.toBeNull();
    const nobody = await at(`/preview?client_id=${app.client_id}&person=nobody@example.com`);
    expect([nobody.status, alertText(nobody)]).toEqual([400, 'no account is nobody@example.com']);
    expect((await at('/preview')).status).toBe(200);
  });
});
