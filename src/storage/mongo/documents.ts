/** What accounts and clients have in common: a document with an id, one unique value, a version and an order. */
import { Schema, mongo } from 'mongoose';
import type { Connection, SchemaDefinition } from 'mongoose';
import { conflict, duplicate, notFound } from '../../kernel/errors.ts';
import { readPageRequest, toPage } from '../../kernel/paging.ts';
import type { Page, PageRequest, Position } from '../../kernel/paging.ts';
import { searchPage } from '../../kernel/search.ts';
import type { Search } from '../../kernel/search.ts';
import { isDuplicateKey } from './errors.ts';
import { searchWords } from './search-words.ts';
import { createTurns } from './turns.ts';

interface Document {
  id: string;
  version: number;
  created_at: string;
}

/** As it rests: the id under MongoDB's own name for it. */
export type Stored<T> = Omit<T, 'id'> & { _id: string };

/** Every field by name: one that a type gains and its schema lacks would be dropped silently, so it does not compile. */
export type Fields<T> = Record<keyof T, SchemaDefinition[string]>;

/** How all our schemas behave: what is written is what comes back, no more (`__v`, `id`) and no less (empty objects). */
export const SCHEMA_OPTIONS = {
  versionKey: false,
  id: false,
  minimize: false,
  autoIndex: false,
  autoCreate: false,
} as const;

/**
 * Indexes a field where it holds a string. Written with `$gt`, because the query planner uses a partial index only where it can
 * prove that the query falls within it, and it does not see that a value that equals a string is one of `$type: 'string'`.
 */
export const whereString = (field: string) => ({ partialFilterExpression: { [field]: { $gt: '' } } });

function documentSchema<T extends Document>({ fields, uniqueField, extraIndexes = [] }: Shape<T>) {
  const schema = new Schema<Stored<Document>>(fields, SCHEMA_OPTIONS);
  schema.index({ [uniqueField]: 1 }, { unique: true, ...whereString(uniqueField) });
  schema.index({ created_at: 1, _id: 1 });
  for (const index of extraIndexes) schema.index(...index);
  return schema;
}

function toStored<T extends Document>({ id, ...rest }: T): Stored<T> {
  return { _id: id, ...rest };
}

/** `$set` leaves out what is undefined: those fields are taken away. */
function withoutEmptied(fields: object): object {
  const emptied = Object.entries(fields).filter(([, value]) => value === undefined);
  return emptied.length > 0 ? { $unset: Object.fromEntries(emptied.map(([name]) => [name, ''])) } : {};
}

function fromStored<T extends Document>({ _id, ...rest }: Stored<T>): T {
  return { id: _id, ...rest } as unknown as T;
}

export const following = ([createdAt, id]: Position) => ({
  $or: [{ created_at: { $gt: createdAt } }, { created_at: createdAt, _id: { $gt: id } }],
});

async function unique<R>(work: Promise<R>, taken: { message: string; field: string }): Promise<R> {
  try {
    return await work;
  } catch (error) {
    throw isDuplicateKey(error) ? duplicate(taken.message, taken.field) : error;
  }
}

// One server is enough: a token or session that an election of another primary loses is asked for again. Whatever decides
// something (`insertIfAbsent`, `consume`) or takes something away waits for the majority.
export const EVERYDAY = { writeConcern: { w: 1, j: false } } as const;

interface Shape<T> {
  /** Such as `Account`. */
  name: string;
  collection: string;
  fields: Fields<Stored<T>>;
  /** Unique among the documents where it is not null. */
  uniqueField: keyof T & string;
  /** What a duplicate is told, and the public name of its field. */
  taken: { message: string; field: string };
  extraIndexes?: [Record<string, 1>, object][];
  /** What it is found by. */
  wordsOf: (document: T) => string[];
}

/** Brings what is older than the index of words into it. */
export interface BuildsWords {
  buildWords(): Promise<void>;
}

export function documentCollection<T extends Document>(connection: Connection, shape: Shape<T>) {
  const { name, collection, uniqueField, taken, wordsOf } = shape;
  const model = connection.model(name, documentSchema<T>(shape), collection);

  const inTurn = createTurns();
  const words = searchWords(connection, collection);

  async function findOne(filter: Record<string, unknown>): Promise<T | undefined> {
    const found = await model.findOne(filter).lean<Stored<T> | null>();
    return found ? fromStored<T>(found) : undefined;
  }

  const find = (id: string) => findOne({ _id: id });

  async function list(request: PageRequest): Promise<Page<T>> {
    const { position, limit } = readPageRequest(request);
    const found = await model
      .find(position ? following(position) : {})
      .sort({ created_at: 1, _id: 1 })
      .limit(limit + 1)
      .lean<Stored<T>[]>();
    return toPage(found.map(fromStored<T>), limit);
  }

  /** Takes away what the change has left behind, and puts back what another change, made at the same moment, needs of that. */
  async function settleWords(written: T): Promise<void> {
    await words.removeOthers(written.id, wordsOf(written));
    const now = await find(written.id);
    if (now) await words.add(now.id, wordsOf(now));
  }

  return {
    model,
    async insert(document: T): Promise<void> {
      const write = () => model.create([toStored(document)], { validateBeforeSave: false });
      await words.add(document.id, wordsOf(document));
      try {
        await unique(inTurn(String(document[uniqueField] ?? document.id), write), taken);
      } catch (error) {
        if (!(await find(document.id))) await words.removeAll(document.id);
        throw error;
      }
    },
    async insertMany(documents: T[]): Promise<boolean[]> {
      if (documents.length === 0) return [];
      await words.addMany(documents.map((document) => ({ id: document.id, words: wordsOf(document) })));
      const operations = documents.map((document) => ({ insertOne: { document: toStored(document) } }));
      try {
        await model.collection.bulkWrite(operations as never, { ordered: false });
        return documents.map(() => true);
      } catch (error) {
        if (!(error instanceof mongo.MongoBulkWriteError)) throw error;
        const failed = [error.writeErrors].flat();
        const other = failed.find((one) => !isDuplicateKey(one));
        if (other) throw error;
        const refused = new Set(failed.map(({ index }) => index));
        return documents.map((_, index) => !refused.has(index));
      }
    },
    find,
    findByUnique: (value: string) => findOne({ [uniqueField]: value }),
    async update(document: T, options?: { durable: boolean }): Promise<T> {
      const next = { ...document, version: document.version + 1 };
      const before = await find(document.id);
      const isFoundAnew = before !== undefined && wordsOf(before).join() !== wordsOf(next).join();
      if (isFoundAnew) await words.add(next.id, wordsOf(next));
      const { _id, ...fields } = toStored(next);
      // `$set` rather than a replacement: what a newer program has added beside our fields stays.
      const { matchedCount } = await unique(
        model
          .updateOne(
            { _id, version: document.version },
            { $set: fields, ...withoutEmptied(fields) },
            options?.durable === false ? EVERYDAY : {},
          )
          .exec(),
        taken,
      );
      if (matchedCount === 1) {
        if (isFoundAnew) await settleWords(next);
        return next;
      }
      throw (await model.exists({ _id }))
        ? conflict('the record was changed meanwhile')
        : notFound('the record is gone');
    },
    async delete(id: string, version?: number): Promise<boolean> {
      const { deletedCount } = await model.deleteMany({ _id: id, ...(version === undefined ? {} : { version }) });
      if (deletedCount === 0 && (await model.exists({ _id: id }))) return false;
      await words.removeAll(id);
      return deletedCount > 0;
    },
    search: (search: Search): Promise<Page<T>> => searchPage({ scan: words.scan, find, list, wordsOf }, search),
    /** Once, where the store is older than the index. */
    async buildWords(): Promise<void> {
      if (await words.isBuilt()) return;
      let after: string | undefined;
      do {
        const page = await list({ after, limit: 500 });
        await words.addMany(page.items.map((document) => ({ id: document.id, words: wordsOf(document) })));
        after = page.next;
      } while (after !== undefined);
      await words.setBuilt();
    },
    list,
  };
}
