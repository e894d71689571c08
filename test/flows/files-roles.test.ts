/** Roles, groups and claim tables from files. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import { carryOut } from '../../src/files/reconcile.ts';
import { apply, exported, inShort, planOf, problemsOf } from '../support/files.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

const ALL = `- kind: claims
  client_id: wiki
  rules:
    - claim: [permissions]
      source: permissions
      into: [access_token]
- kind: role
  name: editor
  description: Writes and publishes
  permissions: [pages:write, pages:read]
- kind: group
  name: press
  roles: [editor]
- kind: client
  client_id: wiki
  type: web
  client_name: Wiki
  redirect_uris: [https://wiki.example/]
`;

describe('roles, groups and claim tables in files', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  it('are made in an order that works, and once', async () => {
    expect(inShort(await planOf(gatehouse, ALL))).toEqual([
      'create role editor: description permissions',
      'create group press: roles',
      'create client wiki: type redirect_uris',
      'create claims wiki: rules',
    ]);
    await apply(gatehouse, ALL);
    expect(inShort(await planOf(gatehouse, ALL, { prune: true }))).toEqual([]);
    expect((await gatehouse.roles.get('editor')).permissions).toEqual(['pages:read', 'pages:write']);
    expect((await gatehouse.claimTables.get('wiki')).rules).toHaveLength(1);
  });

  it('are written so that applying them changes nothing, here and elsewhere', async () => {
    const text = await exported(gatehouse);
    expect(inShort(await planOf(gatehouse, text, { prune: true }))).toEqual([]);
    const elsewhere = await startGatehouse();
    try {
      await apply(elsewhere, text);
      expect(await exported(elsewhere)).toBe(text);
    } finally {
      await elsewhere.stop();
    }
  });

  it('are checked by the rules of every other door', async () => {
    expect(await problemsOf(gatehouse, 'kind: role\nname: admin\n')).toEqual([
      "all.yaml:2: admin is the role of Gatehouse's own admins",
    ]);
    expect(await problemsOf(gatehouse, 'kind: group\nname: g\nroles: [admin]\n')).toEqual([
      'all.yaml:3: the role admin is given to people one by one',
    ]);
    expect(await problemsOf(gatehouse, 'kind: claims\nclient_id: nobody\nrules: []\n')).toEqual([
      'all.yaml:1: no app has the id nobody',
    ]);
    // What stays may not name what goes.
    const naming = 'kind: group\nname: press\nroles: [editor]\n---\nkind: settings\nfactors.required_roles: [editor]\n';
    expect(await problemsOf(gatehouse, naming, { prune: true })).toEqual([
      'all.yaml:1: the role editor is to be removed',
      'all.yaml:5: the role editor is to be removed',
    ]);
  });

  it('lose no change that somebody else made after the plan', async () => {
    const steps = await planOf(gatehouse, 'kind: role\nname: editor\npermissions: [pages:read]\n');
    await gatehouse.roles.update(OPERATOR, 'editor', { description: 'Theirs' });
    const { failed } = await carryOut(steps);
    expect((failed?.error as Error).message).toBe('the role was changed meanwhile');
    expect((await gatehouse.roles.get('editor')).permissions).toHaveLength(2);
  });

  it('are not removed where somebody else changed them after the plan', async () => {
    const { sub } = await gatehouse.person({ roles: ['editor'], groups: ['press'] });
    const removals = (await planOf(gatehouse, '', { prune: true })).filter(({ kind }) => kind !== 'client');
    expect(inShort(removals)).toEqual(['remove claims wiki: ', 'remove group press: ', 'remove role editor: ']);
    await gatehouse.roles.update(OPERATOR, 'editor', { description: 'Theirs again' });
    await gatehouse.groups.update(OPERATOR, 'press', { description: 'Theirs' });
    const rules = [{ claim: ['may'], source: 'permissions' as const, into: ['access_token' as const] }];
    await gatehouse.claimTables.set(OPERATOR, 'wiki', rules);
    for (const step of removals)
      expect(((await carryOut([step])).failed?.error as Error).message).toMatch(/was changed meanwhile$/);
    expect(await gatehouse.accounts.get(sub)).toMatchObject({ roles: ['editor'], groups: ['press'] });
    expect((await gatehouse.groups.get('press')).roles).toEqual(['editor']);
    expect((await gatehouse.claimTables.get('wiki')).rules).toEqual(rules);
  });

  it('are removed once, by one of many who try at the same moment', async () => {
    await gatehouse.roles.create(OPERATOR, { name: 'short-lived' });
    const { sub } = await gatehouse.person({ roles: ['short-lived'] });
    const tries = await Promise.allSettled(
      Array.from({ length: 5 }, () => gatehouse.roles.remove(OPERATOR, 'short-lived', 1)),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await gatehouse.accounts.get(sub)).roles).toEqual([]);
    const { items } = await gatehouse.audit.search({ type: 'role_deleted', limit: 5, after: undefined });
    expect(items).toHaveLength(1);
  });

  it('go in the end, where the process that removed them ended half-way', async () => {
    const made = await gatehouse.roles.create(OPERATOR, { name: 'half-gone' });
    const { sub } = await gatehouse.person({ roles: ['half-gone'] });
    await gatehouse.storage.roles.update('role', { ...made, going: true });
    await expect(gatehouse.roles.get('half-gone')).rejects.toMatchObject({ code: 'not_found' });
    await expect(gatehouse.roles.update(OPERATOR, 'half-gone', {})).rejects.toMatchObject({ code: 'not_found' });
    expect((await gatehouse.accounts.get(sub)).roles).toEqual(['half-gone']);
    await gatehouse.roles.finish();
    expect((await gatehouse.accounts.get(sub)).roles).toEqual([]);
    expect((await gatehouse.storage.roles.all()).role.map(({ name }) => name)).not.toContain('half-gone');
  });

  it('stay, and keep their name, while a second factor is asked of whoever has them', async () => {
    await gatehouse.roles.create(OPERATOR, { name: 'finance' });
    await gatehouse.settings.change(OPERATOR, { 'factors.required_roles': ['finance'] });
    for (const lost of [
      gatehouse.roles.remove(OPERATOR, 'finance'),
      gatehouse.roles.update(OPERATOR, 'finance', { name: 'money' }),
    ])
      await expect(lost).rejects.toThrow('take it out of factors.required_roles first');
    await gatehouse.settings.change(OPERATOR, { 'factors.required_roles': null });
    await gatehouse.roles.remove(OPERATOR, 'finance');
  });

  it('go when no file names them and --prune is given', async () => {
    expect(inShort(await planOf(gatehouse, '', { prune: true }))).toEqual([
      'remove claims wiki: ',
      'remove client wiki: ',
      'remove group press: ',
      'remove role editor: ',
    ]);
    await apply(gatehouse, '', { prune: true });
    expect(await exported(gatehouse)).toBe('');
  });
});
