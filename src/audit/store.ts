/** A record as it rests. `document` is the very text that the chain is made over; the other fields repeat parts of it to search by. */
export interface StoredRecord {
  /** 1 for the first, then one more each. */
  seq: number;
  id: string;
  /** ISO 8601. */
  at: string;
  type: string;
  /** Pseudonym of a person, or id of a client. */
  actor: string | null;
  target: string | null;
  document: string;
  /** Keyed hash over the one before and the document. */
  mac: string;
  /** Id of the record that it was made of, where it is older than the chain. */
  adopted: string | null;
  /** Code of the answer to the request that did it. */
  reference: string | null;
}

/** What a record says of one person, held apart so that it can go. */
export interface PersonalPart {
  record_id: string;
  subject: string;
  /** With a salt, so that its hash, which the record keeps, tells nothing. */
  document: string;
}

export interface Appended {
  record: StoredRecord;
  parts: PersonalPart[];
}

/** Where the chain ends, or was cut. */
export interface Mark {
  seq: number;
  mac: string;
  at: string;
  /** Keyed hash of the above. */
  signature: string;
}

export interface RecordFilter {
  /** Newest first: only those with a lower number. */
  before?: number | undefined;
  type?: string | undefined;
  actor?: string | undefined;
  target?: string | undefined;
  reference?: string | undefined;
  /** ISO 8601, from then on. */
  from?: string | undefined;
  /** ISO 8601, up to but without it. */
  to?: string | undefined;
}

/** A record of before the chain. */
export interface OldEvent {
  id: string;
  type: string;
  account_id: string;
  actor: string;
  network: string | null;
  device: string | null;
  detail: Record<string, string>;
  created_at: string;
}

/** Where records are kept. Nothing is ever changed. A write survives a killed process. */
export interface AuditStore {
  /** The pseudonym of an account: `fresh` where it has none yet. Of callers at once, with whatever `fresh`, all get the same. */
  subjectOf(accountId: string, fresh: string): Promise<string>;
  findSubject(accountId: string): Promise<string | undefined>;
  /** Whose pseudonyms these are, as far as they are anybody's. */
  accountsOf(subjects: string[]): Promise<Map<string, string>>;
  /** The mark of the last append; it may lag behind the records, never the other way round. */
  head(): Promise<Mark | undefined>;
  /** What the next record follows: the last record, or where that is missing what the mark says. */
  end(): Promise<{ seq: number; mac: string } | undefined>;
  /**
   * Appends records whose first follows the head, and makes `markOf` the last appended one the head. Others may append at the
   * same time: @returns how many were appended, from the first on; the rest must be linked anew.
   */
  append(records: Appended[], markOf: (record: StoredRecord) => Mark): Promise<number>;
  /** Newest first. */
  list(filter: RecordFilter, limit: number): Promise<StoredRecord[]>;
  /** When those of a type were made, newest first. */
  timesOf(type: string, limit: number): Promise<string[]>;
  /** Oldest first, from a number on. */
  range(from: number, limit: number): Promise<StoredRecord[]>;
  partsOf(recordIds: string[]): Promise<PersonalPart[]>;
  /** Forgets whose pseudonym it is, and all that was said of them. Survives power loss. */
  forget(accountId: string, subject: string): Promise<void>;
  /** The last record from before a time, where all that precede it are too. */
  lastBefore(at: string): Promise<StoredRecord | undefined>;
  cut(): Promise<Mark | undefined>;
  /** Durable, so that no record goes without it. */
  setCut(mark: Mark): Promise<void>;
  /** Removes records up to a number, with what they say of people, at most `limit`. @returns how many. */
  removeUpTo(seq: number, limit: number): Promise<number>;
  /** Records of before the chain, oldest first. */
  listOld(limit: number): Promise<OldEvent[]>;
  /** Which of these old ones the chain has. */
  adopted(ids: string[]): Promise<string[]>;
  removeOld(ids: string[]): Promise<void>;
}
