/** The same answer to the same request sent again: a creation whose answer was lost on the way is not made twice. */
import { hash } from 'node:crypto';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { ApiProblem } from './problems.ts';

export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

interface Request {
  /** Whose key it is: nobody is told what another one got. */
  owner: string;
  key: string;
  /** All that makes the request what it is. */
  content: string;
}

const KIND = 'IdempotencyKey';
const KEPT_SECONDS = 86_400;
/** A request that takes longer has died: its key is free again. */
const RUNNING_SECONDS = 60;
const KEY = /^[\x21-\x7e]{1,200}$/;

export type Once = (
  request: Request,
  work: () => Promise<StoredAnswer>,
) => Promise<StoredAnswer & { replayed: boolean }>;

type Records = Pick<SealedRecords, 'find' | 'insertIfAbsent' | 'upsert' | 'destroy'>;

/**
 * Answers are sealed like all that could be replayed: the one to a registration holds the secret.
 * @returns a function that does `work` once per key and gives its answer again for a day. Failures are not kept.
 * It throws the problems `invalid_input`, `key_reused` and, while the first request is under way, `conflict`.
 */
export function createOnce(records: Records): Once {
  return async ({ owner, key, content }, work) => {
    if (!KEY.test(key))
      throw new ApiProblem({ name: 'invalid_input', detail: 'Idempotency-Key must be 1 to 200 visible characters' });
    const id = JSON.stringify([owner, key]);
    const fingerprint = hash('sha256', content, 'base64url');
    const underWay = new ApiProblem({
      name: 'conflict',
      detail: 'a request with this Idempotency-Key is under way',
      headers: { 'Retry-After': '1' },
    });
    const before = await records.find(KIND, id);
    if (before && before['fingerprint'] !== fingerprint) throw new ApiProblem({ name: 'key_reused' });
    if (before?.['answer']) return { ...(before['answer'] as StoredAnswer), replayed: true };
    if (before || !(await records.insertIfAbsent(KIND, id, { fingerprint }, RUNNING_SECONDS))) throw underWay;
    let answer: StoredAnswer;
    try {
      answer = await work();
    } catch (error) {
      await records.destroy(KIND, id);
      throw error;
    }
    await records.upsert(KIND, id, { fingerprint, answer }, KEPT_SECONDS);
    return { ...answer, replayed: false };
  };
}
