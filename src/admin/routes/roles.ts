/** Roles, groups, claim tables, and the preview of tokens. */
import { z } from 'zod';
import { publicNamed } from '../../roles/role.ts';
import type { Group, Role } from '../../roles/role.ts';
import * as own from '../role-schemas.ts';
import { route } from '../route.ts';
import * as shapes from '../schemas.ts';

const byName = (kind: string) =>
  z.strictObject({ [kind]: z.string().max(400).meta({ description: 'Its name.' }) }) as z.ZodObject<
    Record<string, z.ZodString>
  >;
const query = z.strictObject({ ...shapes.page, search: shapes.search });
const one = <T extends Role | Group>(record: T) => ({ body: publicNamed(record), version: record.version });

const READ = { scope: 'roles:read', method: 'GET' } as const;
const WRITE = { scope: 'roles:write' } as const;

const tag = 'Roles and groups';

export const roleRoutes = [
  route({
    ...READ,
    id: 'listRoles',
    path: '/roles',
    tag,
    summary: 'Roles, by name',
    query,
    answer: { status: 200, schema: shapes.listOf('RoleList', own.role) },
    async run({ roles }, { query: { search, ...page } }) {
      const { items, next } = await roles.list({ ...page, text: search });
      return { body: { items: items.map(publicNamed), next } };
    },
  }),
  route({
    ...WRITE,
    id: 'createRole',
    method: 'POST',
    path: '/roles',
    tag,
    summary: 'Make a role',
    description: 'People who have a role of that name already have its permissions from then on.',
    body: own.newRole,
    idempotent: true,
    answer: { status: 201, schema: own.role },
    async run({ roles }, { by, body }) {
      const role = await roles.create(by, body);
      return { ...one(role), location: `/roles/${role.name}` };
    },
  }),
  route({
    ...READ,
    id: 'getRole',
    path: '/roles/{role}',
    tag,
    summary: 'One role',
    params: byName('role'),
    answer: { status: 200, schema: own.role },
    run: async ({ roles }, { params }) => one(await roles.get(params['role']!)),
  }),
  route({
    ...WRITE,
    id: 'changeRole',
    method: 'PATCH',
    path: '/roles/{role}',
    tag,
    summary: 'Change what is named; of another name, everybody keeps it under that one',
    params: byName('role'),
    body: own.roleChange,
    ifMatch: 'demanded',
    answer: { status: 200, schema: own.role },
    run: async ({ roles }, { by, params, body, version }) =>
      one(await roles.update(by, params['role']!, body, version)),
  }),
  route({
    ...WRITE,
    id: 'deleteRole',
    method: 'DELETE',
    path: '/roles/{role}',
    tag,
    summary: 'Delete a role; people and groups have it no more',
    params: byName('role'),
    ifMatch: 'heeded',
    answer: { status: 204 },
    async run({ roles }, { by, params, version }) {
      await roles.remove(by, params['role']!, version);
      return {};
    },
  }),
];

export const groupRoutes = [
  route({
    ...READ,
    id: 'listGroups',
    path: '/groups',
    tag,
    summary: 'Groups, by name; who is in one, `GET /users?group=` tells',
    query,
    answer: { status: 200, schema: shapes.listOf('GroupList', own.group) },
    async run({ groups }, { query: { search, ...page } }) {
      const { items, next } = await groups.list({ ...page, text: search });
      return { body: { items: items.map(publicNamed), next } };
    },
  }),
  route({
    ...WRITE,
    id: 'createGroup',
    method: 'POST',
    path: '/groups',
    tag,
    summary: 'Make a group',
    body: own.newGroup,
    idempotent: true,
    answer: { status: 201, schema: own.group },
    async run({ groups }, { by, body }) {
      const group = await groups.create(by, body);
      return { ...one(group), location: `/groups/${group.name}` };
    },
  }),
  route({
    ...READ,
    id: 'getGroup',
    path: '/groups/{group}',
    tag,
    summary: 'One group',
    params: byName('group'),
    answer: { status: 200, schema: own.group },
    run: async ({ groups }, { params }) => one(await groups.get(params['group']!)),
  }),
  route({
    ...WRITE,
    id: 'changeGroup',
    method: 'PATCH',
    path: '/groups/{group}',
    tag,
    summary: 'Change what is named; of another name, its people stay in it',
    params: byName('group'),
    body: own.groupChange,
    ifMatch: 'demanded',
    answer: { status: 200, schema: own.group },
    run: async ({ groups }, { by, params, body, version }) =>
      one(await groups.update(by, params['group']!, body, version)),
  }),
  route({
    ...WRITE,
    id: 'deleteGroup',
    method: 'DELETE',
    path: '/groups/{group}',
    tag,
    summary: 'Delete a group; its people lose what they had by it',
    params: byName('group'),
    ifMatch: 'heeded',
    answer: { status: 204 },
    async run({ groups }, { by, params, version }) {
      await groups.remove(by, params['group']!, version);
      return {};
    },
  }),
];

const table = z.strictObject({
  table: z.string().max(2000).meta({ description: 'Id of the app, or `_default` for every app.' }),
});

export const claimTableRoutes = [
  route({
    ...READ,
    id: 'listClaimTables',
    path: '/claim-tables',
    tag: 'Claims',
    summary: 'All claim tables that have rows',
    answer: { status: 200, schema: own.claimTableList },
    run: async ({ claimTables }) => ({ body: { items: await claimTables.list() } }),
  }),
  route({
    ...READ,
    id: 'getClaimTable',
    path: '/claim-tables/{table}',
    tag: 'Claims',
    summary: 'What an app, or every app, learns of people beside the standard claims',
    params: table,
    answer: { status: 200, schema: own.claimTable },
    async run({ claimTables }, { params }) {
      const { version, ...body } = await claimTables.get(params.table);
      return { body, version };
    },
  }),
  route({
    id: 'setClaimTable',
    method: 'PUT',
    path: '/claim-tables/{table}',
    scope: 'claims:write',
    tag: 'Claims',
    summary: 'Put these rows in the place of those that are there; none takes all away',
    params: table,
    body: own.newClaimTable,
    ifMatch: 'demanded',
    answer: { status: 200, schema: own.claimTable },
    async run({ claimTables }, { by, params, body: { rules }, version }) {
      const { version: now, ...body } = await claimTables.set(by, params.table, rules, version);
      return { body, version: now };
    },
  }),
];

export const previewRoutes = [
  route({
    id: 'previewTokens',
    method: 'POST',
    path: '/token-preview',
    scope: 'tokens:preview',
    tag: 'Claims',
    summary: 'Which tokens an app would get for a person, and where each claim comes from',
    description: 'Nothing is issued, and nothing is written down. Of a person it takes the scope `users:read` too.',
    bodyNames: true,
    body: own.previewInput,
    answer: { status: 200, schema: own.preview },
    run: async ({ preview }, { by, body }) => ({ body: await preview.of(by, body) }),
  }),
];
