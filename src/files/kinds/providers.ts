/** Upstream providers in files. Those of the configuration are its, and are neither written nor removed. */
import { z } from 'zod';
import { PROVIDER_CHANGEABLE, PROVIDER_FIELDS } from '../../admin/routes/providers.ts';
import { OPERATOR } from '../../administration/principal.ts';
import type { Upstreams } from '../../administration/upstreams.ts';
import { PROVIDER_SECRETS } from '../../federation/records.ts';
import type { KnownProvider, NewProvider } from '../../federation/records.ts';
import { invalidInput } from '../../kernel/errors.ts';
import { changesBetween, judged } from '../kind.ts';
import type { Item, Kind, Step } from '../kind.ts';
import type { Problem } from '../problem.ts';
import { resolveSecret, secretReference } from '../references.ts';
import type { Env } from '../references.ts';

interface Wanted {
  name: string;
  type: string;
  enabled?: boolean | undefined;
  client_secret?: string | undefined;
  private_key?: string | undefined;
  [field: string]: unknown;
}

interface Needs {
  upstreams: Upstreams;
  env: Env;
}

const schema = z.strictObject({
  name: z.string(),
  type: z.string(),
  enabled: z.boolean().optional(),
  ...PROVIDER_FIELDS,
  ...Object.fromEntries(PROVIDER_SECRETS.map((name) => [name, secretReference.optional()])),
});

const told = ({ settings, enabled }: KnownProvider): Record<string, unknown> => ({ ...settings, enabled });

/** The secrets that an entry names, read. */
function secretsOf({ wanted, entry }: Item<Wanted>, env: Env): Record<string, string> {
  const named = PROVIDER_SECRETS.filter((name) => wanted[name] !== undefined);
  return Object.fromEntries(
    named.map((name) => {
      try {
        return [name, resolveSecret(wanted[name]!, entry.folder, env)];
      } catch (error) {
        throw invalidInput((error as Error).message, name);
      }
    }),
  );
}

/** What is not named goes back to its default; a secret that is not named stays. */
const changeOf = (wanted: Wanted): Record<string, unknown> =>
  Object.fromEntries(PROVIDER_CHANGEABLE.map((name) => [name, wanted[name] ?? null]));

export function providerKind({ upstreams, env }: Needs): Kind<Wanted> {
  async function creation(item: Item<Wanted>): Promise<Step> {
    const { wanted } = item;
    const input = { ...wanted, ...secretsOf(item, env) } as NewProvider;
    const draft = told(await upstreams.draft(input));
    const said = Object.keys(wanted).filter((field) => field !== 'name');
    return {
      act: 'create',
      kind: 'provider',
      id: wanted.name,
      changes: said.map((field) => ({ field, old: null, new: draft[field] ?? wanted[field] })),
      notes: [`register ${upstreams.callbackOf(wanted.name)} there`],
      async run() {
        await upstreams.create(OPERATOR, input);
      },
    };
  }

  async function alteration(item: Item<Wanted>, known: KnownProvider): Promise<Step | undefined> {
    const { wanted } = item;
    const { name, version, settings } = known;
    if (known.source === 'config') throw invalidInput(`${name} is set in the configuration: change it there`, 'name');
    if (wanted.type !== settings['type'])
      throw invalidInput(`stays ${String(settings['type'])}: remove it and add another`, 'type');
    const secrets = secretsOf(item, env);
    const others = PROVIDER_SECRETS.filter((one) => one in secrets && !upstreams.holdsSecret(name, one, secrets[one]!));
    // At another address a secret is given again, be it the same.
    const moves = wanted['issuer'] !== undefined && wanted['issuer'] !== settings['issuer'];
    const given = moves ? secrets : Object.fromEntries(others.map((one) => [one, secrets[one]]));
    const change = { ...changeOf(wanted), ...given };
    const after = await upstreams.draftChange(name, change);
    const changes = [
      ...changesBetween(told(known), told(after)),
      ...others.map((field) => ({ field, old: '(another)', new: wanted[field] })),
    ];
    if (changes.length === 0) return undefined;
    return {
      act: 'change',
      kind: 'provider',
      id: name,
      changes,
      notes: [],
      async run() {
        await upstreams.update(OPERATOR, name, change, version);
      },
    };
  }

  const removal = ({ name, version }: KnownProvider): Step => ({
    act: 'remove',
    kind: 'provider',
    id: name,
    changes: [],
    notes: ['people who have no other way in lose theirs'],
    run: () => upstreams.remove(OPERATOR, name, version),
  });

  return {
    name: 'provider',
    schema,
    identities: ({ name }) => [name],
    names: ({ name }) => [name],
    async plan(items, { prune }) {
      const all = await upstreams.list();
      const problems: Problem[] = [];
      const steps: Step[] = [];
      for (const item of items)
        await judged(item, problems, async () => {
          const known = all.find(({ name }) => name === item.wanted.name);
          const step = known ? await alteration(item, known) : await creation(item);
          if (step) steps.push(step);
        });
      const named = new Set(items.map(({ wanted }) => wanted.name));
      const gone = prune ? all.filter(({ name, source }) => source === 'store' && !named.has(name)) : [];
      return { steps: [...steps, ...gone.map(removal)], problems };
    },
    async export() {
      const mine = (await upstreams.list()).filter(({ source }) => source === 'store');
      return mine
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, enabled, settings: { type, ...settings } }) => ({
          name,
          type,
          ...(enabled ? {} : { enabled }),
          ...settings,
        }));
    },
  };
}
