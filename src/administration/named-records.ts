/** Roles and groups alike: records with a name by which people's accounts, and other records, know them. */
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Audit } from '../audit/audit.ts';
import { isoNow } from '../kernel/clock.ts';
import { conflict, duplicate, invalidInput, isGatehouseError, notFound, stale } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { encodePosition, readPageRequest } from '../kernel/paging.ts';
import type { Page } from '../kernel/paging.ts';
import { isFoundBy, mark, wordsIn } from '../kernel/search.ts';
import type { Search } from '../kernel/search.ts';
import type { RoleBook } from '../roles/book.ts';
import { checkDescription, MOST_RECORDS, publicNamed } from '../roles/role.ts';
import type { RoleKinds, RoleStore } from '../roles/store.ts';
import { difference } from './difference.ts';
import { mustHave } from './principal.ts';
import type { Principal } from './principal.ts';

type Kind = 'role' | 'group';
type Content<K extends Kind> = K extends 'role' ? { permissions: string[] } : { roles: string[] };

export type NewNamed<K extends Kind> = { name: string; description?: string | undefined } & {
  [Name in keyof Content<K>]?: Content<K>[Name] | undefined;
};
/** What is absent stays. */
export type NamedChange<K extends Kind> = { [Name in keyof NewNamed<K>]?: NewNamed<K>[Name] | undefined };

/** Whatever is named, is by its name. */
export interface NamedRecords<K extends Kind> {
  /** By name. */
  list(search: Pick<Search, 'text' | 'after' | 'limit'>): Promise<Page<RoleKinds[K]>>;
  /** @throws not_found. */
  get(name: string): Promise<RoleKinds[K]>;
  /** @throws invalid_input naming the field, duplicate. */
  create(by: Principal, input: NewNamed<K>): Promise<RoleKinds[K]>;
  /**
   * Of another name, everybody who has it keeps it under that one.
   * @param version that the admin has seen. @throws not_found, invalid_input naming the field, duplicate, stale.
   */
  update(by: Principal, name: string, change: NamedChange<K>, version?: number): Promise<RoleKinds[K]>;
  /**
   * Nobody has it any more afterwards, nor does anybody by a record of the same name that comes later.
   * @param version that the admin has seen. @throws not_found, stale, conflict where something else needs it.
   */
  remove(by: Principal, name: string, version?: number): Promise<void>;
  /** Goes on with changes of name and removals that ended half-way. */
  finish(): Promise<void>;
}

export interface NamedNeeds {
  store: RoleStore;
  book: RoleBook;
  accounts: Pick<Accounts, 'search' | 'assign'>;
  audit: Pick<Audit, 'act'>;
  /** Resolves after some milliseconds. */
  pause(ms: number): Promise<void>;
}

interface Shape<K extends Kind> {
  kind: K;
  prefix: string;
  field: 'roles' | 'groups';
  checkName(name: string): string;
  /** @throws invalid_input. */
  content(input: NamedChange<K>): Partial<Content<K>>;
  empty: Content<K>;
  /** Other records that name it; `to` undefined takes it out of them. */
  references(from: string, to: string | undefined): Promise<void>;
  /** @throws conflict where something that cannot follow it needs it under its name. */
  mustBeIdle?: ((name: string) => void) | undefined;
}

const ATTEMPTS = 5;
const PASSES = 3;
/** By then every process knows a new name. */
const KNOWN_MS = 1000;

export function createNamedRecords<K extends Kind>(
  { store, book, accounts, audit, pause }: NamedNeeds,
  { kind, prefix, field, checkName, content, empty, references, mustBeIdle }: Shape<K>,
): NamedRecords<K> {
  type Named = RoleKinds[K];
  const all = async () => (await book.latest()).records[kind] as unknown as Named[];
  const there = async () => (await all()).filter(({ going }) => !going);
  const target = (name: string) => ({ kind, id: name }) as const;

  async function get(name: string): Promise<Named> {
    const found = (await there()).find((one) => one.name === name);
    if (!found) throw notFound(`no ${kind} is called ${name}`);
    return found;
  }

  async function mustBeFree(name: string, id?: string): Promise<void> {
    const holder = (await all()).find((one) => one.name === name || one.former_names.includes(name));
    if (holder && holder.id !== id) throw duplicate(`there is a ${kind} ${name} already`, 'name');
  }

  /** Applies `apply` to the newest version, again when somebody else was faster. */
  async function change(id: string, apply: (record: Named) => Named): Promise<Named> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const record = (await there()).find((one) => one.id === id);
      if (!record) throw notFound(`the ${kind} is gone`);
      try {
        return await store.update(kind, { ...apply(record), updated_at: isoNow() });
      } catch (error) {
        if (!isGatehouseError(error, 'conflict')) throw error;
      }
    }
    throw conflict(`the ${kind} keeps changing; try again`);
  }

  async function reassign({ id }: Account, from: string, to: string | undefined): Promise<boolean> {
    try {
      await accounts.assign(
        id,
        { remove: { [field]: [from] }, ...(to === undefined ? {} : { add: { [field]: [to] } }) },
        // A durable write of the record comes behind all of them.
        { durable: false },
      );
      return true;
    } catch (error) {
      if (isGatehouseError(error, 'not_found')) return false;
      throw error;
    }
  }

  /** Until a look finds nobody: who gets it meanwhile is found by the next one. @returns how many people. */
  async function reassignAll(from: string, to: string | undefined): Promise<number> {
    let people = 0;
    for (let pass = 0; pass < PASSES; pass += 1) {
      let found = 0;
      let after: string | undefined;
      do {
        const page = await accounts.search({ having: [mark(kind, from)], limit: 500, after });
        for (const account of page.items) if (await reassign(account, from, to)) found += 1;
        after = page.next;
      } while (after !== undefined);
      people += found;
      if (found === 0) break;
    }
    return people;
  }

  /** Everything that knows it by a former name gets to know the new one. */
  async function spread({ id, name, former_names }: Named): Promise<number> {
    await pause(KNOWN_MS);
    let people = 0;
    for (const former of former_names) {
      await references(former, name);
      people += await reassignAll(former, name);
    }
    await change(id, (record) => ({
      ...record,
      former_names: record.former_names.filter((one) => !former_names.includes(one)),
    }));
    return people;
  }

  /** Takes it from everybody, then away. Whoever does the last of it says so. */
  async function complete(record: Named): Promise<void> {
    const { id, name, former_names } = record;
    let people = 0;
    for (const one of [name, ...former_names]) {
      await references(one, undefined);
      people += await reassignAll(one, undefined);
    }
    if (!(await store.delete(kind, id))) return;
    await book.latest();
    people += await reassignAll(name, undefined);
    const gone = difference(publicNamed<Named>(record), {});
    await audit.act(`${kind}_deleted`, target(name), { ...gone, people: String(people) });
  }

  function fieldsOf({ name, description, ...rest }: NamedChange<K>): Partial<Named> {
    return {
      ...(name === undefined ? {} : { name: checkName(name) }),
      ...(description === undefined ? {} : { description: checkDescription(description) }),
      ...content(rest as NamedChange<K>),
    } as Partial<Named>;
  }

  return {
    async list({ text = '', ...request }) {
      const { position, limit } = readPageRequest(request);
      const found = (await there()).filter(
        ({ name, description }) =>
          (position === undefined || Buffer.compare(Buffer.from(name), Buffer.from(position[0])) > 0) &&
          isFoundBy([...wordsIn([name, description], []), name.toLowerCase()], text),
      );
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return { items, next: found.length > limit && last ? encodePosition([last.name, last.id]) : undefined };
    },
    get,
    async create(by, input) {
      mustHave(by, 'roles:write', `this makes a ${kind}`);
      const now = isoNow();
      const record = {
        id: newId(prefix),
        description: '',
        ...empty,
        ...fieldsOf(input),
        former_names: [],
        created_at: now,
        updated_at: now,
        version: 1,
      } as unknown as Named;
      await mustBeFree(record.name);
      if ((await all()).length >= MOST_RECORDS) throw invalidInput(`there are ${MOST_RECORDS} already`, 'name');
      await store.insert(kind, record);
      await book.latest();
      await audit.act(`${kind}_created`, target(record.name), difference({}, publicNamed<Named>(record)));
      return record;
    },
    async update(by, name, what, version) {
      mustHave(by, 'roles:write', `this changes a ${kind}`);
      const before = await get(name);
      const fields = fieldsOf(what);
      const isRenamed = fields.name !== undefined && fields.name !== name;
      if (isRenamed) mustBeIdle?.(name);
      if (isRenamed) await mustBeFree(fields.name!, before.id);
      const after = await change(before.id, (record) => {
        if (version !== undefined && record.version !== version) throw stale(`the ${kind} was changed meanwhile`);
        const former_names = isRenamed
          ? [...record.former_names, record.name].filter((one) => one !== fields.name)
          : record.former_names;
        return { ...record, ...fields, former_names };
      });
      await book.latest();
      const people = isRenamed ? { people: String(await spread(after)) } : {};
      const changed = difference(publicNamed<Named>(before), publicNamed<Named>(after));
      await audit.act(`${kind}_changed`, target(after.name), { ...changed, ...people });
      return get(after.name);
    },
    async remove(by, name, version) {
      mustHave(by, 'roles:write', `this deletes a ${kind}`);
      const { id } = await get(name);
      mustBeIdle?.(name);
      // From here on it goes, whatever becomes of this process; whoever changed it before keeps it.
      const record = await change(id, (now) => {
        if (version !== undefined && now.version !== version) throw stale(`the ${kind} was changed meanwhile`);
        return { ...now, going: true };
      });
      await complete(record);
    },
    async finish() {
      for (const record of await all())
        if (record.going) await complete(record);
        else if (record.former_names.length > 0) await spread(record);
    },
  };
}
