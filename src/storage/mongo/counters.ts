import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { Counter, CounterStore } from '../../limits/store.ts';
import { SCHEMA_OPTIONS, whereString } from './documents.ts';
import type { Fields } from './documents.ts';
import { isDuplicateKey } from './errors.ts';
import { upserting } from './upserting.ts';

interface StoredCounter {
  _id: string;
  count: number;
  /** A date, since the server's own sweeper (TTL index) goes by it. */
  expires_at: Date;
  owner: string | null;
}

const fields: Fields<StoredCounter> = { _id: String, count: Number, expires_at: Date, owner: String };
const schema = new Schema<StoredCounter>(fields, SCHEMA_OPTIONS);
schema.index({ expires_at: 1 }, { expireAfterSeconds: 0 });
schema.index({ owner: 1 }, whereString('owner'));

// One server is enough: counts that an election of another primary loses are tries given back.
const WRITE = { writeConcern: { w: 1, j: false } } as const;

const ATTEMPTS = 4;

const afterMs = (milliseconds: number) => new Date(Date.now() + milliseconds);
const running = () => ({ expires_at: { $gt: new Date() } });

export function counterStore(connection: Connection): CounterStore {
  const model = connection.model('Counter', schema, 'counters');

  /**
   * Plain operators rather than a pipeline: FerretDB answers some of those who race to add a counter by a pipeline with a count
   * that another one has got too. @throws a duplicate key where the counter under the key does not run.
   */
  async function addToRunning(key: string, points: number, windowMs: number, owner: string | null): Promise<Counter> {
    const { count, expires_at } = await model
      .findOneAndUpdate(
        { _id: key, ...running() },
        { $inc: { count: points }, $setOnInsert: { expires_at: afterMs(windowMs), owner } },
        { upsert: true, returnDocument: 'after', ...WRITE },
      )
      .orFail()
      .lean<StoredCounter>();
    return { count, expires_at: expires_at.getTime() };
  }

  return {
    async increment(key, points, windowMs, owner = null) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await addToRunning(key, points, windowMs, owner);
        } catch (error) {
          if (!isDuplicateKey(error) || attempt === ATTEMPTS) throw error;
        }
        // The key is held by a counter that has expired, or by one that somebody added at the same moment.
        const anew = { count: 0, expires_at: afterMs(windowMs) };
        await model.updateOne({ _id: key, expires_at: { $lte: new Date() } }, { $set: anew }, WRITE);
      }
    },
    async giveBack(key, points, windowEnd) {
      if (windowEnd <= Date.now()) return;
      const less = { count: { $max: [0, { $subtract: ['$count', points] }] } };
      await model.updateOne({ _id: key, expires_at: new Date(windowEnd) }, [{ $set: less }], {
        updatePipeline: true,
        ...WRITE,
      });
    },
    async block(key, count, windowMs, owner = null) {
      const expires_at = afterMs(windowMs);
      await upserting(() =>
        model.updateOne({ _id: key }, { $set: { count, expires_at, owner } }, { upsert: true, ...WRITE }).exec(),
      );
      return { count, expires_at: expires_at.getTime() };
    },
    async get(key) {
      const found = await model.findOne({ _id: key, ...running() }).lean<StoredCounter | null>();
      return found ? { count: found.count, expires_at: found.expires_at.getTime() } : undefined;
    },
    delete: async (key) => (await model.deleteMany({ _id: key, ...running() }, WRITE)).deletedCount === 1,
    async deleteByOwner(owner) {
      const { deletedCount } = await model.deleteMany({ owner, ...running() }, WRITE);
      return deletedCount;
    },
    // The TTL index does it.
    sweep: async () => 0,
  };
}
