/** Apps and APIs in files: by the names of the admin API, which are those of the standards. */
import { z } from 'zod';
import * as shapes from '../../admin/schemas.ts';
import { renamed } from '../../admin/routes/clients.ts';
import { kindOf } from '../../administration/apps.ts';
import type { Apps, Kind as Door } from '../../administration/apps.ts';
import { OPERATOR } from '../../administration/principal.ts';
import { authMethod, isBuiltIn, publicClient } from '../../clients/client.ts';
import type { Client } from '../../clients/client.ts';
import type { Clients } from '../../clients/clients.ts';
import type { ClientChange, NewClient } from '../../clients/input.ts';
import { hasSecret } from '../../clients/protocol.ts';
import { secretProblem } from '../../clients/secret.ts';
import { conflict, invalidInput } from '../../kernel/errors.ts';
import { changesBetween, judged, mustNotGo } from '../kind.ts';
import type { Item, Kind, Outlook, Step } from '../kind.ts';
import type { Problem } from '../problem.ts';
import { resolveSecret, secretReference } from '../references.ts';
import type { Env } from '../references.ts';

interface Wanted {
  client_id?: string | undefined;
  client_secret?: string | undefined;
  client_name: string;
  type?: NewClient['type'] | undefined;
  resource?: string | undefined;
  default_resource?: string | undefined;
  identity_providers?: string[] | undefined;
  [name: string]: unknown;
}

interface Needs {
  apps: Apps;
  clients: Pick<Clients, 'list' | 'holdsSecret'>;
  env: Env;
}

interface Shape {
  door: Door;
  schema: z.ZodObject;
  /** What can be changed once it is there. */
  changeable: string[];
}

/** What is no setting of it. */
const APART = ['client_id', 'version', 'created_at', 'updated_at', 'has_secret', 'built_in', 'dynamically_registered'];
const PAGE = 500;
const own = { client_id: z.string().optional(), client_secret: secretReference.optional() };

const protocol = Object.fromEntries(
  shapes.PROTOCOL_FIELDS.map((name) => [name, (shapes.clientChange.shape as Record<string, z.ZodType>)[name]!]),
);

export const APP: Shape = {
  door: 'app',
  schema: z.strictObject({ ...shapes.newClient.shape, ...protocol, ...own }),
  changeable: Object.keys(shapes.clientChange.shape),
};
export const API: Shape = {
  door: 'api',
  schema: z.strictObject({ ...shapes.newApi.shape, ...own }),
  changeable: Object.keys(shapes.apiChange.shape),
};

const fieldNames: Record<string, string> = { name: 'client_name' };
const nameOf = (field: string) => fieldNames[field] ?? field;

/** Ours, or registered by itself: no file says what becomes of it. */
const isManaged = (client: Client) => !isBuiltIn(client.id) && client.dynamically_registered !== true;

/** What is wanted, as registration takes it. */
function toInput(door: Door, wanted: Wanted): NewClient {
  const body = Object.entries(wanted).filter(([name]) => !(name in own));
  return { ...(door === 'api' ? { type: 'api' } : {}), ...renamed(Object.fromEntries(body)) } as NewClient;
}

/** What is not named goes back to what it is without being named. */
function toChange(changeable: string[], wanted: Wanted): ClientChange {
  const { client_name } = wanted;
  const named = changeable.map((name) => [name, wanted[name] ?? null]);
  return renamed({ ...(Object.fromEntries(named) as object), client_name });
}

/** What does not exist yet cannot be asked for before it does: the check of it waits until then. */
function withoutComing<T extends NewClient | ClientChange>(
  input: T,
  { coming }: Outlook,
): { input: T; back: Partial<Client> } {
  const back: Partial<Client> = {};
  const checked = { ...input };
  if (input.default_resource && coming.get('api')?.has(input.default_resource)) {
    back.default_resource = input.default_resource;
    delete checked.default_resource;
  }
  const providers = coming.get('provider');
  if (input.identity_providers?.some((name) => providers?.has(name))) {
    back.identity_providers = input.identity_providers;
    checked.identity_providers = input.identity_providers.filter((name) => !providers!.has(name));
  }
  return { input: checked, back };
}

/** @throws conflict where it names what the same files remove. */
function mustLast({ default_resource, identity_providers }: Wanted, outlook: Outlook): void {
  if (default_resource !== undefined && outlook.going.get('api')?.has(default_resource))
    throw conflict(`the API ${default_resource} is to be removed`);
  mustNotGo('provider', identity_providers, outlook);
}

function readSecret({ wanted: { client_secret }, entry }: Item<Wanted>, env: Env): string | undefined {
  if (client_secret === undefined) return undefined;
  let secret: string;
  try {
    secret = resolveSecret(client_secret, entry.folder, env);
  } catch (error) {
    throw invalidInput((error as Error).message, 'client_secret');
  }
  const problem = secretProblem(secret);
  if (problem) throw invalidInput(`what ${client_secret} holds ${problem}`, 'client_secret');
  return secret;
}

function mustTakeSecret(client: Client): void {
  const method = authMethod(client);
  if (!hasSecret(method)) throw invalidInput(`proves itself by ${method}: it has no secret`, 'client_secret');
}

const shown = (client: Client): Record<string, unknown> => {
  const all: Record<string, unknown> = publicClient(client);
  return all;
};

export function clientKind({ door, schema, changeable }: Shape, { apps, clients, env }: Needs): Kind<Wanted> {
  const name = door === 'app' ? 'client' : 'api';

  async function existing(): Promise<Client[]> {
    const found: Client[] = [];
    let after: string | undefined;
    do {
      const page = await clients.list({ after, limit: PAGE });
      found.push(...page.items.filter((client) => kindOf(client) === door && isManaged(client)));
      after = page.next;
    } while (after !== undefined);
    return found;
  }

  /** The one that an entry means. @throws invalid_input where that is not clear. */
  function find({ client_id, client_name }: Wanted, all: Client[]): Client | undefined {
    if (client_id !== undefined) {
      if (isBuiltIn(client_id)) throw invalidInput(`${client_id} is part of Gatehouse`, 'client_id');
      return all.find(({ id }) => id === client_id);
    }
    const [first, second] = all.filter((client) => client.client_name === client_name);
    if (second) throw invalidInput(`several are called ${client_name}: say which by client_id`, 'client_name');
    return first;
  }

  async function creation(item: Item<Wanted>, outlook: Outlook): Promise<Step> {
    const { wanted } = item;
    const secret = readSecret(item, env);
    const input = toInput(door, wanted);
    const { input: checked, back } = withoutComing(input, outlook);
    const draft = { ...(await apps.draft(OPERATOR, checked, wanted.client_id)), ...back };
    if (secret !== undefined) mustTakeSecret(draft);
    const drawn = secret === undefined && hasSecret(authMethod(draft)) && door === 'app';
    const said = Object.keys(wanted).filter((field) => !['client_id', 'client_secret', 'client_name'].includes(field));
    const values = shown(draft);
    const changes = said.map((field) => ({ field, old: null, new: values[field] ?? null }));
    return {
      act: 'create',
      kind: name,
      id: wanted.client_id ?? wanted.client_name,
      name: wanted.client_id === undefined ? undefined : wanted.client_name,
      changes: [
        ...changes,
        ...(secret === undefined ? [] : [{ field: 'client_secret', old: null, new: wanted.client_secret }]),
      ],
      notes: drawn
        ? ['gets a secret that nobody knows: `client rotate-secret` shows a new one, or give client_secret']
        : [],
      async run() {
        await apps.register(OPERATOR, input, { id: wanted.client_id, secret });
      },
    };
  }

  async function alteration(item: Item<Wanted>, client: Client, outlook: Outlook): Promise<Step | undefined> {
    const { wanted } = item;
    const { id, version } = client;
    if (wanted.type !== undefined && wanted.type !== client.type)
      throw invalidInput(`stays ${client.type}: remove it and create another`, 'type');
    if (wanted.resource !== undefined && wanted.resource !== client.resource)
      throw invalidInput(`stays ${client.resource}: remove it and create another`, 'resource');
    const secret = readSecret(item, env);
    const change = toChange(changeable, wanted);
    const { input: checked, back } = withoutComing(change, outlook);
    const after = { ...(await apps.draftChange(OPERATOR, door, id, checked)), ...back };
    const changes = changesBetween(publicClient(client), publicClient(after), APART);
    if (secret !== undefined) mustTakeSecret(after);
    const resets = secret !== undefined && !clients.holdsSecret(after, secret);
    if (changes.length === 0 && !resets) return undefined;
    return {
      act: 'change',
      kind: name,
      id,
      name: client.client_name,
      changes: [
        ...changes,
        ...(resets ? [{ field: 'client_secret', old: '(another)', new: wanted.client_secret }] : []),
      ],
      notes: [],
      async run() {
        const seen = changes.length === 0 ? version : (await apps.update(OPERATOR, door, id, change, version)).version;
        if (resets) await apps.setSecret(OPERATOR, door, id, secret, seen);
      },
    };
  }

  const removal = ({ id, client_name, resource, version }: Client): Step => ({
    act: 'remove',
    kind: name,
    id,
    name: client_name,
    aliases: resource === null ? [] : [resource],
    changes: [],
    notes: [],
    run: () => apps.remove(OPERATOR, door, id, version),
  });

  /** The fewest fields that lead to this record. */
  async function written(client: Client): Promise<Record<string, unknown>> {
    const all = shown(client);
    const names = [...new Set([...(door === 'api' ? ['resource'] : ['type']), ...changeable])];
    const isSaid = (value: unknown) =>
      value !== null && value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
    const said = Object.fromEntries(names.filter((one) => isSaid(all[one])).map((one) => [one, all[one]]));
    const isUsual = authMethod(client) === authMethod({ type: client.type });
    if (isUsual) delete said['token_endpoint_auth_method'];
    const change = toChange(changeable, said as Wanted);
    const after = await apps.draftChange(OPERATOR, door, client.id, change);
    const missed = changesBetween(publicClient(client), publicClient(after), APART);
    for (const { field, old } of missed) if (changeable.includes(field)) said[field] = old;
    const { client_name, ...others } = said;
    return { client_id: client.id, client_name, ...others };
  }

  return {
    name,
    schema,
    identities: ({ client_id, client_name, resource }) => [
      client_id ?? client_name,
      ...(resource === undefined ? [] : [resource]),
    ],
    names: ({ client_id, resource }) => [client_id, resource].filter((one) => one !== undefined),
    async plan(items, { prune, outlook }) {
      const all = await existing();
      const problems: Problem[] = [];
      const steps: Step[] = [];
      const kept = new Set<string>();
      for (const item of items) {
        await judged(
          item,
          problems,
          async () => {
            const client = find(item.wanted, all);
            if (client) kept.add(client.id);
            mustLast(item.wanted, outlook);
            const step = client ? await alteration(item, client, outlook) : await creation(item, outlook);
            if (step) steps.push(step);
          },
          nameOf,
        );
      }
      if (prune) steps.push(...all.filter(({ id }) => !kept.has(id)).map(removal));
      return { steps, problems };
    },
    async export() {
      // In an order that no store decides: what is kept in git differs where something is otherwise.
      const all = (await existing()).sort((a, b) => (a.id < b.id ? -1 : 1));
      const documents: Record<string, unknown>[] = [];
      for (const client of all) documents.push(await written(client));
      return documents;
    },
  };
}
