import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type {
  Appended,
  AuditStore,
  Mark,
  OldEvent,
  PersonalPart,
  RecordFilter,
  StoredRecord,
} from '../../audit/store.ts';
import { EVERYDAY, SCHEMA_OPTIONS, whereString } from './documents.ts';
import { isDuplicateKey } from './errors.ts';
import { upserting } from './upserting.ts';

/** Its number is its key: of two that would follow the same record one is refused. */
type Kept = Omit<StoredRecord, 'seq'> & { _id: number };
type KeptPart = PersonalPart & { _id: string };
type KeptMark = Mark & { _id: string };
interface KeptSubject {
  _id: string;
  subject: string;
}
type KeptEvent = Omit<OldEvent, 'id'> & { _id: string };

const records = new Schema<Kept>(
  {
    _id: Number,
    id: String,
    at: String,
    type: { type: String },
    actor: String,
    target: String,
    document: String,
    mac: String,
    adopted: String,
    reference: String,
  },
  SCHEMA_OPTIONS,
);
records.index({ at: 1 });
records.index({ type: 1, _id: -1 });
records.index({ actor: 1, _id: -1 }, whereString('actor'));
records.index({ target: 1, _id: -1 }, whereString('target'));
records.index({ adopted: 1 }, whereString('adopted'));
records.index({ reference: 1, _id: -1 }, whereString('reference'));

const personal = new Schema<KeptPart>(
  { _id: String, record_id: String, subject: String, document: String },
  SCHEMA_OPTIONS,
);
personal.index({ record_id: 1 });
personal.index({ subject: 1 });

const subjects = new Schema<KeptSubject>({ _id: String, subject: String }, SCHEMA_OPTIONS);
subjects.index({ subject: 1 }, { unique: true });

const marks = new Schema<KeptMark>(
  { _id: String, seq: Number, mac: String, at: String, signature: String },
  SCHEMA_OPTIONS,
);

const events = new Schema<KeptEvent>(
  {
    _id: String,
    type: { type: String },
    account_id: String,
    actor: String,
    network: String,
    device: String,
    detail: Schema.Types.Mixed,
    created_at: String,
  },
  SCHEMA_OPTIONS,
);
events.index({ account_id: 1, created_at: 1, _id: 1 });
events.index({ created_at: 1 });

const toKept = ({ seq, ...rest }: StoredRecord): Kept => ({ _id: seq, ...rest });
/** One from before references were filed says nothing of its own. */
const fromKept = ({ _id, reference, ...rest }: Kept): StoredRecord => ({
  seq: _id,
  ...rest,
  reference: reference ?? null,
});

function conditionsOf({ before, type, actor, target, reference, from, to }: RecordFilter) {
  return {
    ...(before === undefined ? {} : { _id: { $lt: before } }),
    ...(type === undefined ? {} : { type }),
    ...(actor === undefined ? {} : { actor }),
    ...(target === undefined ? {} : { target }),
    ...(reference === undefined ? {} : { reference }),
    ...(from === undefined && to === undefined
      ? {}
      : { at: { ...(from === undefined ? {} : { $gte: from }), ...(to === undefined ? {} : { $lt: to }) } }),
  };
}

export function auditStore(connection: Connection): AuditStore {
  const model = connection.model('AuditRecord', records, 'audit_records');
  const parts = connection.model('AuditPart', personal, 'audit_personal');
  const people = connection.model('AuditSubject', subjects, 'audit_subjects');
  const places = connection.model('AuditMark', marks, 'audit_marks');
  const old = connection.model('AuditEvent', events, 'audit_events');

  const findSubject = async (accountId: string) =>
    (await people.findOne({ _id: accountId }).lean<KeptSubject | null>())?.subject;

  async function marked(name: string): Promise<Mark | undefined> {
    const found = await places.findOne({ _id: name }).lean<KeptMark | null>();
    if (!found) return undefined;
    const { seq, mac, at, signature } = found;
    return { seq, mac, at, signature };
  }

  /** How many of these are stored: a failure may hide that some are. */
  async function storedOf(appended: Appended[]): Promise<number> {
    const first = appended[0]!.record.seq;
    const found = await model
      .find({ _id: { $gte: first, $lt: first + appended.length } }, { id: 1 })
      .sort({ _id: 1 })
      .lean<{ _id: number; id: string }[]>();
    const other = appended.findIndex(({ record }, index) => found[index]?.id !== record.id);
    return other === -1 ? appended.length : other;
  }

  async function insert(appended: Appended[]): Promise<number> {
    const said = appended.flatMap((one) => one.parts);
    if (said.length > 0)
      await parts.bulkWrite(
        said.map((part) => {
          const _id = `${part.record_id} ${part.subject}`;
          return { updateOne: { filter: { _id }, update: { $setOnInsert: { ...part } }, upsert: true } };
        }),
        { ordered: false, ...EVERYDAY },
      );
    try {
      await model.insertMany(
        appended.map(({ record }) => toKept(record)),
        { ordered: true, lean: true },
      );
      return appended.length;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const stored = await storedOf(appended);
    const late = appended.slice(stored).map(({ record }) => record.id);
    // Linked anew, they are written anew.
    await parts.deleteMany({ record_id: { $in: late } });
    return stored;
  }

  return {
    // Inserted, and not by an upsert that finds what it wrote: FerretDB has told two who raced a pseudonym of their own each.
    async subjectOf(accountId, fresh) {
      const known = await findSubject(accountId);
      if (known !== undefined) return known;
      try {
        await people.create([{ _id: accountId, subject: fresh }], { validateBeforeSave: false });
        return fresh;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
      const { subject } = await people.findOne({ _id: accountId }).orFail().lean<KeptSubject>();
      return subject;
    },
    findSubject,
    async accountsOf(named) {
      const found = await people.find({ subject: { $in: named } }).lean<KeptSubject[]>();
      return new Map(found.map(({ _id, subject }) => [subject, _id]));
    },
    head: () => marked('head'),
    // The mark is written after the records.
    async end() {
      const [mark, last] = await Promise.all([marked('head'), model.findOne().sort({ _id: -1 }).lean<Kept | null>()]);
      return last && (!mark || mark.seq < last._id) ? { seq: last._id, mac: last.mac } : mark;
    },
    async append(appended, markOf) {
      const stored = await insert(appended);
      if (stored === 0) return 0;
      const mark = markOf(appended[stored - 1]!.record);
      // The one who is behind does not set it back.
      const behind = { _id: 'head', seq: { $lt: mark.seq } };
      try {
        await places.updateOne(behind, { $set: mark }, { upsert: true, ...EVERYDAY });
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
      return stored;
    },
    async list(filter, limit) {
      const found = await model.find(conditionsOf(filter)).sort({ _id: -1 }).limit(limit).lean<Kept[]>();
      return found.map(fromKept);
    },
    async timesOf(type, limit) {
      const found = await model
        .find({ type }, { at: 1, _id: 0 })
        .sort({ _id: -1 })
        .limit(limit)
        .lean<{ at: string }[]>();
      return found.map(({ at }) => at);
    },
    async range(from, limit) {
      const found = await model
        .find({ _id: { $gte: from } })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<Kept[]>();
      return found.map(fromKept);
    },
    async partsOf(ids) {
      const found = await parts.find({ record_id: { $in: ids } }, { _id: 0 }).lean<PersonalPart[]>();
      return found;
    },
    async forget(accountId, subject) {
      await parts.deleteMany({ subject });
      await people.deleteMany({ _id: accountId });
    },
    async lastBefore(at) {
      const next = await model
        .findOne({ at: { $gte: at } })
        .sort({ _id: 1 })
        .lean<Kept | null>();
      const last = await model
        .findOne(next ? { _id: { $lt: next._id } } : {})
        .sort({ _id: -1 })
        .lean<Kept | null>();
      return last ? fromKept(last) : undefined;
    },
    cut: () => marked('cut'),
    setCut: async (mark) =>
      void (await upserting(() => places.updateOne({ _id: 'cut' }, { $set: mark }, { upsert: true }).exec())),
    async removeUpTo(seq, limit) {
      const found = await model
        .find({ _id: { $lte: seq } }, { id: 1 })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<{ _id: number; id: string }[]>();
      await parts.deleteMany({ record_id: { $in: found.map(({ id }) => id) } });
      await model.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } });
      return found.length;
    },
    async listOld(limit) {
      const found = await old.find().sort({ created_at: 1, _id: 1 }).limit(limit).lean<KeptEvent[]>();
      return found.map(({ _id, ...rest }) => ({ id: _id, ...rest }));
    },
    async adopted(ids) {
      const found = await model.find({ adopted: { $in: ids } }, { adopted: 1 }).lean<{ adopted: string }[]>();
      return found.map(({ adopted }) => adopted);
    },
    removeOld: async (ids) => void (await old.deleteMany({ _id: { $in: ids } })),
  };
}
