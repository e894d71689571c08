/**
 * Devices that signed in to an account before: each has a mark per account, of which only a keyed hash rests in the store. A
 * mark ends with what it is of (a new password, a suspension), and lives on with each sign-in.
 */
import { newId } from '../kernel/ids.ts';

const KIND = 'KnownDevice';
/** Accounts a browser is remembered for; the one longest unused goes first. */
const MOST_MARKS = 6;

interface Records {
  find(kind: string, id: string): Promise<Record<string, unknown> | undefined>;
  upsert(kind: string, id: string, payload: Record<string, unknown>, ttl: number): Promise<void>;
}

export interface KnownDevices {
  /**
   * @param marks what the browser sent back.
   * @returns the mark of the account with this e-mail address, undefined where there is none; it takes the same work whether
   *   there is such an account or not.
   */
  find(marks: string[], email: string): Promise<string | undefined>;
  /**
   * Notes that somebody signed in to the account. Where the device was not known the mark is new, so that nobody can plant one.
   * @returns the marks the browser should have, and whether it was known before.
   */
  remember(marks: string[], account: { id: string; email: string }): Promise<{ marks: string[]; known: boolean }>;
}

interface Needs {
  records: Records;
  normalizeAccount: (email: string) => string;
  /** Seconds a mark lives after the last sign-in. */
  ttl: number;
}

export function createKnownDevices({ records, normalizeAccount, ttl }: Needs): KnownDevices {
  async function find(marks: string[], email: string): Promise<string | undefined> {
    const who = normalizeAccount(email);
    const found = await Promise.all(marks.slice(0, MOST_MARKS).map((mark) => records.find(KIND, mark)));
    return marks[found.findIndex((payload) => payload?.['email'] === who)];
  }

  return {
    find,
    async remember(marks, { id, email }) {
      const before = await find(marks, email);
      const mark = before ?? newId();
      await records.upsert(KIND, mark, { accountId: id, email: normalizeAccount(email) }, ttl);
      const others = marks.filter((one) => one !== before);
      return { marks: [mark, ...others].slice(0, MOST_MARKS), known: before !== undefined };
    },
  };
}
