/** Roles, groups and claim tables as commands. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runInside } from '../support/command-line.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-roles-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) => runInside(args, { GATEHOUSE_DATA_DIR: path.join(folder, 'data') });

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Record<string, unknown>;
}

it('roles and groups are made, shown, changed and deleted, and people have them', async () => {
  await json('role', 'create', '--name', 'editor', '--permission', 'notes:write', '--permission', 'notes:read');
  expect(await json('role', 'show', 'editor')).toMatchObject({ permissions: ['notes:read', 'notes:write'] });
  await json('group', 'create', '--name', 'newsroom', '--description', 'Who writes', '--role', 'editor');
  const person = ['--email', 'ada@example.com', '--name', 'Ada', '--role', 'unrecorded'];
  expect(await json('user', 'create', ...person)).toMatchObject({ roles: ['unrecorded'], groups: [] });
  const assigned = await json('user', 'assign', 'ada@example.com', '--add-group', 'newsroom', '--add-role', 'editor');
  expect(assigned).toMatchObject({ roles: ['unrecorded', 'editor'], groups: ['newsroom'] });
  expect(await json('role', 'update', 'editor', '--name', 'writer')).toMatchObject({ name: 'writer' });
  expect(await json('user', 'show', 'ada@example.com')).toMatchObject({ roles: ['unrecorded', 'writer'] });
  expect(await json('group', 'list')).toMatchObject([{ name: 'newsroom', roles: ['writer'] }]);
  expect(await json('user', 'list', '--group', 'newsroom')).toHaveLength(1);
  expect((await run('group', 'list')).stdout).toMatch(/^name +description +roles\nnewsroom +Who writes +writer\n$/);
  await json('role', 'delete', 'writer');
  expect(await json('user', 'show', 'ada@example.com')).toMatchObject({ roles: ['unrecorded'] });
  const again = await run('role', 'delete', 'writer');
  expect([again.code, again.stderr]).toEqual([1, 'error: no role is called writer\n']);
  expect((await run('group', 'update', 'newsroom', '--role', 'admin')).stderr).toContain('one by one');
});

it('claim tables are set from a file, and say which row is wrong', async () => {
  const file = path.join(folder, 'claims.json');
  const set = (rules: unknown) => {
    writeFileSync(file, JSON.stringify(rules));
    return run('claims', 'set', file);
  };
  const row = { claim: ['realm_access', 'roles'], source: 'roles', into: ['id_token'] };
  expect((await set([row])).stdout).toContain('realm_access > roles');
  expect(await json('claims', 'show')).toEqual({ table: '_default', rules: [row] });
  expect(await json('claims', 'list')).toMatchObject([{ table: '_default', rows: '1' }]);
  for (const wrong of [
    { ...row, claim: ['iss'] },
    { ...row, filter: 'x' },
    { ...row, claim: [1] },
  ])
    expect((await set([row, wrong])).stderr).toContain('error: row 2 (');
  expect((await set('nothing')).stderr).toContain('must hold a list of rows');
  expect((await run('claims', 'show', 'app_nothing')).stderr).toContain('no app has the id app_nothing');
  expect((await set([])).stdout).toBe('none\n');
});
