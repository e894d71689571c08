import { Schema } from 'mongoose';
import type { Connection, Model } from 'mongoose';
import type { Position } from '../../kernel/paging.ts';
import type { Entry, Range } from '../../kernel/search.ts';
import { isDuplicateKey } from './errors.ts';

interface Stored extends Entry {
  /** Kind, word and id: one entry is there once. */
  _id: string;
  kind: string;
}

const schema = new Schema<Stored>(
  { _id: String, kind: String, word: String, id: String },
  { versionKey: false, id: false, autoIndex: false, autoCreate: false },
);
schema.index({ kind: 1, word: 1, id: 1 });
schema.index({ kind: 1, id: 1 });

/** Says that what was there before the index is in it. */
const BUILT = 'built';

/**
 * The words of one kind of record. No transaction ties them to it: they are written before it, so that it can be found from its
 * first moment on, and taken away after it; one that is left behind is seen to be none of the record's.
 */
export function searchWords(connection: Connection, kind: string) {
  const model =
    (connection.models['SearchWord'] as Model<Stored> | undefined) ??
    connection.model<Stored>('SearchWord', schema, 'search_words');

  async function addMany(records: { id: string; words: string[] }[]): Promise<void> {
    const entries = records.flatMap(({ id, words }) =>
      words.map((word) => ({ _id: JSON.stringify([kind, word, id]), kind, word, id })),
    );
    if (entries.length === 0) return;
    try {
      await model.insertMany(entries, { ordered: false, lean: true });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error; // the others were added
    }
  }

  return {
    async scan({ from, to }: Range, after: Position | undefined, limit: number): Promise<Entry[]> {
      const range = { kind, word: { $gte: after?.[0] ?? from, $lt: to } };
      const on = after && { $or: [{ word: { $gt: after[0] } }, { word: after[0], id: { $gt: after[1] } }] };
      return model
        .find({ ...range, ...on }, { _id: 0, word: 1, id: 1 })
        .sort({ kind: 1, word: 1, id: 1 })
        .limit(limit)
        .lean<Entry[]>();
    },
    addMany,
    add: (id: string, words: string[]) => addMany([{ id, words }]),
    removeAll: async (id: string) => void (await model.deleteMany({ kind, id })),
    removeOthers: async (id: string, words: string[]) =>
      void (await model.deleteMany({ kind, id, word: { $nin: words } })),
    isBuilt: async () => (await model.exists({ _id: JSON.stringify([BUILT, kind]) })) !== null,
    async setBuilt(): Promise<void> {
      const _id = JSON.stringify([BUILT, kind]);
      await model.updateOne({ _id }, { $set: { kind: BUILT, word: kind, id: '' } }, { upsert: true });
    },
  };
}
