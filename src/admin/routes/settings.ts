/** What admins may set while all runs. */
import { z } from 'zod';
import { SETTINGS } from '../../config/settings.ts';
import type { AllSettings } from '../../administration/settings.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { named } from '../schemas.ts';

const name = <T extends z.ZodType>(id: string, schema: T): T => {
  named.add(schema, { id });
  return schema;
};
const value = z.union([z.string(), z.int(), z.boolean(), z.array(z.string()), z.null()]);

const settings = name(
  'Settings',
  z.object({
    items: z.array(
      z.object({
        key: z.string().meta({ description: 'Its place in the configuration.' }),
        type: z.enum(['text', 'number', 'boolean', 'list']),
        description: z.string(),
        choices: z.array(z.string()).nullable().meta({ description: 'All that it can be, where that is little.' }),
        value: value.meta({ description: 'In force; null is none.' }),
        source: z.enum(['set', 'config']).meta({ description: '`set`: by an admin, here.' }),
        configured: value.meta({ description: 'What it goes back to.' }),
        changed_at: z.string().nullable(),
      }),
    ),
  }),
);

/** Each with its own schema; null is back to the configuration. */
export const SETTING_FIELDS: Record<string, z.ZodType> = Object.fromEntries(
  SETTINGS.map(({ key, schema, description }) => [key, schema.nullable().optional().meta({ description })]),
);
const change = name(
  'SettingsChange',
  z
    .strictObject(SETTING_FIELDS)
    .meta({ description: 'What is absent stays, what is null goes back to the configuration.' }),
);

const answer = ({ version, items }: AllSettings) => ({ body: { items }, version });

export const settingRoutes: Route[] = [
  route({
    id: 'listSettings',
    method: 'GET',
    path: '/settings',
    scope: 'settings:read',
    tag: 'Settings',
    summary: 'What can be set, what is in force, and where that comes from',
    answer: { status: 200, schema: settings },
    run: async ({ settings: all }) => answer(await all.list()),
  }),
  route({
    id: 'changeSettings',
    method: 'PATCH',
    path: '/settings',
    scope: 'settings:write',
    tag: 'Settings',
    summary: 'Set what is named, in force everywhere within a second',
    body: change,
    ifMatch: 'demanded',
    answer: { status: 200, schema: settings },
    run: async ({ settings: all }, { by, body, version }) => answer(await all.change(by, body, version)),
  }),
];
