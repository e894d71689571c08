import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { LiveDocumentStore } from '../../kernel/live-documents.ts';
import { SCHEMA_OPTIONS } from './documents.ts';
import type { Fields } from './documents.ts';
import { isDuplicateKey } from './errors.ts';
import { createTurns } from './turns.ts';

interface Stored {
  _id: string;
  version: number;
  document: string;
}
const fields: Fields<Stored> = { _id: String, version: Number, document: String };
const schema = new Schema<Stored>(fields, SCHEMA_OPTIONS);

export function liveDocumentStore(connection: Connection): LiveDocumentStore {
  const documents = connection.model('LiveDocument', schema, 'live_documents');
  const inTurn = createTurns();
  return {
    async versions() {
      const found = await documents.find({}, { version: 1 }).lean<Stored[]>();
      return Object.fromEntries(found.map(({ _id, version }) => [_id, version]));
    },
    async read(name) {
      const found = await documents.findOne({ _id: name }).lean<Stored | null>();
      return found ? { version: found.version, document: found.document } : undefined;
    },
    async swap(name, document, seen) {
      if (seen > 0) {
        const next = { $set: { document, version: seen + 1 } };
        return (await documents.updateOne({ _id: name, version: seen }, next)).matchedCount === 1;
      }
      try {
        await inTurn(name, () =>
          documents.create([{ _id: name, version: 1, document }], { validateBeforeSave: false }),
        );
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
  };
}
