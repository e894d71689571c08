/**
 * The chain: each record carries a keyed hash over its own text and the hash of the one before it. Whoever can write to the
 * database but has not the key can neither alter, insert, reorder nor leave out a record unnoticed; that the last ones are missing is seen by
 * the head, whose signed mark rests beside them and is written to the log.
 */
import { hash } from 'node:crypto';
import { constantTimeEqual } from '../kernel/secrets.ts';
import type { Mark, StoredRecord } from './store.ts';

export interface Signer {
  /** A keyed hash, with a key that is not in the database. */
  sign(purpose: string, value: string): string;
}

/** What the first record follows. */
export const BEGINNING = { seq: 0, mac: '' };

export const linkMac = (signer: Signer, previous: string, document: string): string =>
  signer.sign('audit chain', `${previous}\n${document}`);

export function markAt(
  signer: Signer,
  kind: 'head' | 'cut',
  { seq, mac }: { seq: number; mac: string },
  at: string,
): Mark {
  return { seq, mac, at, signature: signer.sign(`audit ${kind}`, JSON.stringify([seq, mac, at])) };
}

export const isGenuine = (signer: Signer, kind: 'head' | 'cut', { seq, mac, at, signature }: Mark): boolean =>
  constantTimeEqual(signature, signer.sign(`audit ${kind}`, JSON.stringify([seq, mac, at])));

export const isLinked = (signer: Signer, previous: string, { document, mac }: StoredRecord): boolean =>
  constantTimeEqual(mac, linkMac(signer, previous, document));

/** What a record keeps of a part that is held apart: it shows that the part is the one, and nothing of what is in it. */
export const commitmentTo = (part: string): string => hash('sha256', part, 'base64url');
