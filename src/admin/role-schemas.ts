/** The shapes of roles, groups, claim tables and previews of tokens. */
import { z } from 'zod';
import { CLAIM_SHAPES, CLAIM_SOURCES, CLAIM_TARGETS, MOST_RULES, PROFILE_SOURCES } from '../roles/claim-rules.ts';
import { DESCRIPTION_MAX, MOST_PERMISSIONS, MOST_ROLES_OF_GROUP } from '../roles/role.ts';
import { named } from './schemas.ts';

const name = <T extends z.ZodType>(id: string, schema: T): T => {
  named.add(schema, { id });
  return schema;
};
const text = (max: number) => z.string().max(max);
const moment = z.string().meta({ format: 'date-time' });

const dates = { created_at: moment, updated_at: moment };
const description = text(DESCRIPTION_MAX);
const called = text(100).meta({ description: 'By which accounts and other records know it.' });
const permissions = z.array(text(100)).max(MOST_PERMISSIONS);
const roles = z.array(text(100)).max(MOST_ROLES_OF_GROUP);

export const role = name(
  'Role',
  z.object({ name: z.string(), description: z.string(), permissions: z.array(z.string()), ...dates }),
);
export const newRole = name(
  'NewRole',
  z.strictObject({ name: called, description: description.optional(), permissions: permissions.optional() }),
);
export const roleChange = name(
  'RoleChange',
  z.strictObject({
    name: called.optional(),
    description: description.optional(),
    permissions: permissions.optional(),
  }),
);

export const group = name(
  'Group',
  z.object({ name: z.string(), description: z.string(), roles: z.array(z.string()), ...dates }),
);
export const newGroup = name(
  'NewGroup',
  z.strictObject({ name: called, description: description.optional(), roles: roles.optional() }),
);
export const groupChange = name(
  'GroupChange',
  z.strictObject({ name: called.optional(), description: description.optional(), roles: roles.optional() }),
);

export const claimRule = name(
  'ClaimRule',
  z.strictObject({
    claim: z
      .array(text(200))
      .min(1)
      .max(5)
      .meta({ description: 'Its name; of a claim inside another, the names from the outermost on.' }),
    source: z.enum(CLAIM_SOURCES),
    field: z.enum(PROFILE_SOURCES).optional().meta({ description: 'With the source `profile`.' }),
    value: z
      .union([text(1000), z.number(), z.boolean(), z.array(text(1000)).max(100)])
      .optional()
      .meta({ description: 'With the source `constant`.' }),
    shape: z.enum(CLAIM_SHAPES).optional().meta({ description: 'Of a list; `list` unless it is said.' }),
    prefix: text(200)
      .optional()
      .meta({ description: 'Of a list: only values that begin with it, and these without it.' }),
    when: z
      .strictObject({ scope: text(200).optional(), role: text(200).optional(), group: text(200).optional() })
      .optional()
      .meta({ description: 'All that is named must be so.' }),
    into: z.array(z.enum(CLAIM_TARGETS)).min(1).max(3),
  }),
);
export const claimTable = name(
  'ClaimTable',
  z.object({
    table: z.string().meta({ description: 'Id of the app, or `_default` for every app.' }),
    rules: z.array(claimRule),
  }),
);
export const claimTableList = name('ClaimTableList', z.object({ items: z.array(claimTable) }));
export const newClaimTable = name('NewClaimTable', z.strictObject({ rules: z.array(claimRule).max(MOST_RULES) }));

const tokenView = z.object({
  claims: z.record(z.string(), z.unknown()),
  origins: z.array(
    z.object({
      claim: z.array(z.string()),
      from: z.enum(['protocol', 'scope', 'table']),
      scope: z.string().optional(),
      table: z.enum(['own', 'general']).optional(),
      row: z.int().optional(),
    }),
  ),
  skipped: z
    .array(
      z.object({
        table: z.enum(['own', 'general']),
        row: z.int(),
        claim: z.array(z.string()),
        why: z.enum(['scope', 'role', 'group', 'person', 'empty', 'taken', 'stranger']),
      }),
    )
    .meta({ description: 'Rows of claim tables that gave nothing here, and why.' }),
});
const origins = z.record(z.string(), z.array(z.string()));

export const previewInput = name(
  'PreviewInput',
  z.strictObject({
    client_id: text(2000),
    person: text(400).optional().meta({ description: 'By `sub` or e-mail address; none for a service.' }),
    scope: text(4000).optional().meta({ description: '`openid profile email` unless it is said.' }),
    resource: text(2000).optional().meta({ description: 'Identifier of an API.' }),
  }),
);
export const preview = name(
  'Preview',
  z.object({
    sub: z.string().nullable(),
    client_id: z.string(),
    scope: z.string().meta({ description: 'What would be granted.' }),
    id_token: tokenView.nullable(),
    access_token: tokenView.extend({
      format: z.enum(['jwt', 'opaque']),
      resource: z.string().nullable(),
      lifetime: z.int().meta({ description: 'Seconds.' }),
    }),
    userinfo: tokenView.nullable(),
    roles: origins.meta({ description: 'From where each comes: `own`, or `group:` and its name.' }),
    permissions: origins.meta({ description: 'From where each comes: `role:` and its name.' }),
    groups: z.array(z.string()),
  }),
);
