/** What accounts and clients have in common: a document with an id, one unique value, a version and an order. */
import { Schema, mongo } from 'mongoose';
import type { Connection, SchemaDefinition } from 'mongoose';
import { conflict, duplicate, notFound } from '../../kernel/errors.ts';
import { readPageRequest, toPage } from '../../kernel/paging.ts';
import type { Page, PageRequest, Position } from '../../kernel/paging.ts';
import { isDuplicateKey } from './errors.ts';
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
}

export function documentCollection<T extends Document>(connection: Connection, shape: Shape<T>) {
  const { name, collection, uniqueField, taken } = shape;
  const model = connection.model(name, documentSchema<T>(shape), collection);

  const inTurn = createTurns();

  async function findOne(filter: Record<string, unknown>): Promise<T | undefined> {
    const found = await model.findOne(filter).lean<Stored<T> | null>();
    return found ? fromStored<T>(found) : undefined;
  }

  return {
    model,
    async insert(document: T): Promise<void> {
      const write = () => model.create([toStored(document)], { validateBeforeSave: false });
      await unique(inTurn(String(document[uniqueField] ?? document.id), write), taken);
    },
    async insertMany(documents: T[]): Promise<boolean[]> {
      if (documents.length === 0) return [];
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
    find: (id: string) => findOne({ _id: id }),
    findByUnique: (value: string) => findOne({ [uniqueField]: value }),
    async update(document: T, options?: { durable: boolean }): Promise<T> {
      const next = { ...document, version: document.version + 1 };
      const { _id, ...fields } = toStored(next);
      // `$set` rather than a replacement: what a newer program has added beside our fields stays.
      const { matchedCount } = await unique(
        model
          .updateOne({ _id, version: document.version }, { $set: fields }, options?.durable === false ? EVERYDAY : {})
          .exec(),
        taken,
      );
      if (matchedCount === 1) return next;
      throw (await model.exists({ _id }))
        ? conflict('the record was changed meanwhile')
        : notFound('the record is gone');
    },
    delete: async (id: string) => (await model.deleteOne({ _id: id })).deletedCount > 0,
    async list(request: PageRequest): Promise<Page<T>> {
      const { position, limit } = readPageRequest(request);
      const found = await model
        .find(position ? following(position) : {})
        .sort({ created_at: 1, _id: 1 })
        .limit(limit + 1)
        .lean<Stored<T>[]>();
      return toPage(found.map(fromStored<T>), limit);
    },
  };
}
