import { expect, test } from 'vitest';
import { newId } from '../../../src/kernel/ids.ts';
import type { ClaimTable, Group, Role } from '../../../src/roles/role.ts';
import { winners } from './at-once.ts';
import type { Use } from './contract.ts';

const NOW = '2030-01-01T00:00:00.000Z';

const aRole = (given: Partial<Role> = {}): Role => ({
  id: newId('rol_'),
  name: newId('role-'),
  description: 'Writes',
  permissions: ['articles:write'],
  former_names: [],
  created_at: NOW,
  updated_at: NOW,
  version: 1,
  ...given,
});
const aGroup = (given: Partial<Group> = {}): Group => ({
  id: newId('grp_'),
  name: newId('group-'),
  description: '',
  roles: ['editor'],
  former_names: [],
  created_at: NOW,
  updated_at: NOW,
  version: 1,
  ...given,
});
const aTable = (id: string): ClaimTable => ({
  id,
  name: id,
  rules: [
    { claim: ['a', 'b.c$d'], source: 'roles', when: { scope: 'x' }, into: ['id_token'] },
    { claim: ['n'], source: 'constant', value: 1.5, into: ['userinfo'] },
  ],
  created_at: NOW,
  updated_at: NOW,
  version: 1,
});

export function roleContract(use: Use): void {
  const store = () => use().storage.roles;

  test('roles, groups and tables come back as they were given, by name', async () => {
    const [b, a, upper] = ['b', 'a', 'Z'].map((name) => aRole({ name })) as [Role, Role, Role];
    for (const role of [b, a, upper]) await store().insert('role', role);
    const group = aGroup({ name: 'a' });
    const table = aTable('app_1');
    await store().insert('group', group);
    await store().insert('claims', table);
    expect(await store().all()).toEqual({ role: [upper, a, b], group: [group], claims: [table] });
  });

  test('of 20 with one name at once one is there, and nobody is renamed to it', async () => {
    const insert = (index: number) =>
      store()
        .insert('role', aRole({ name: 'one', description: String(index) }))
        .then(
          () => true,
          (error: { code?: string; field?: string }) => {
            expect([error.code, error.field]).toEqual(['duplicate', 'name']);
            return false;
          },
        );
    expect(await winners(20, insert)).toBe(1);
    const other = aRole();
    await store().insert('role', other);
    await expect(store().update('role', { ...other, name: 'one' })).rejects.toMatchObject({ code: 'duplicate' });
    // Another kind has names of its own.
    await store().insert('group', aGroup({ name: 'one' }));
  });

  test('of 20 updates of one version one takes; what is gone is not found', async () => {
    const role = aRole();
    await store().insert('role', role);
    const update = (index: number) =>
      store()
        .update('role', { ...role, description: String(index) })
        .then(
          ({ version }) => version === 2,
          (error: { code?: string }) => {
            expect(error.code).toBe('conflict');
            return false;
          },
        );
    expect(await winners(20, update)).toBe(1);
    expect(await store().delete('role', role.id)).toBe(true);
    expect(await store().delete('role', role.id)).toBe(false);
    await expect(store().update('role', role)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('the version is another one after each change, and the same without', async () => {
    const versions = [await store().version()];
    const note = async () => versions.push(await store().version());
    const role = aRole();
    await store().insert('role', role);
    await note();
    expect(await store().version()).toBe(versions.at(-1));
    const next = await store().update('role', { ...role, name: 'another', updated_at: '2030-01-02T00:00:00.000Z' });
    await note();
    await expect(store().update('role', role)).rejects.toMatchObject({ code: 'conflict' });
    expect(await store().version()).toBe(versions.at(-1));
    await store().insert('claims', aTable('_default'));
    await note();
    await store().delete('role', next.id);
    await note();
    await store().insert('role', aRole());
    await note();
    expect(new Set(versions).size).toBe(versions.length);
  });
}
