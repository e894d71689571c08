/** Mailed codes: six digits that are good in one journey, for one purpose, for a few tries. */
import { randomInt } from 'node:crypto';
import { normalizeEmail } from '../accounts/email.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { constantTimeEqual } from '../kernel/secrets.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { LinkPurpose } from './links.ts';

/** In seconds. */
export const CODE_TTL = 600;
export const CODE_TRIES = 5;
const DIGITS = 6;
const KIND = 'MailedCode';

/** Where a code is good. */
export interface CodePlace {
  purpose: LinkPurpose | 'second_factor';
  /** Of the interaction. */
  uid: string;
  /** The address it is mailed to: it proves no other. */
  email: string;
}

/** `spent`: no try is left, or the code is used or over; only a new one helps. */
export type CodeAnswer = 'right' | 'wrong' | 'spent';

export interface MailedCodes {
  /** Makes a code in the place of an older one. @returns it, to be mailed. */
  issue(place: CodePlace): Promise<string>;
  /** Counts the try before it looks, by compare-and-set: many at once get no more tries than one after the other. */
  check(place: CodePlace, code: string): Promise<CodeAnswer>;
  end(place: Omit<CodePlace, 'email'>): Promise<void>;
}

interface Kept {
  hash: string;
  tries: number;
  used: boolean;
  /** Epoch seconds. */
  until: number;
}

class Spent extends Error {}

/** Without what people put between the digits. */
const tidy = (code: string): string => code.replace(/[\s-]/g, '');

export function createMailedCodes({ records, vault }: { records: SealedRecords; vault: Vault }): MailedCodes {
  const id = ({ purpose, uid }: Omit<CodePlace, 'email'>) => `${purpose}:${uid}`;
  const hashOf = (place: CodePlace, code: string) =>
    vault.sign('mailed code', JSON.stringify([id(place), normalizeEmail(place.email), code]));

  async function countTry(place: CodePlace, hash: string): Promise<boolean> {
    const found = await records.find(KIND, id(place));
    if (!found) throw new Spent();
    const { until } = found['kept'] as Kept;
    let right = false;
    await records.change(
      KIND,
      id(place),
      (current) => {
        const kept = current?.['kept'] as Kept | undefined;
        // Thrown, so that nothing is written: many who come too late do not keep each other waiting.
        if (!kept || kept.used || kept.tries >= CODE_TRIES) throw new Spent();
        right = constantTimeEqual(kept.hash, hash);
        return { kept: { ...kept, tries: kept.tries + 1, used: right } };
      },
      Math.max(1, until - epochSeconds()),
    );
    return right;
  }

  return {
    async issue(place) {
      const code = String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0');
      const kept: Kept = { hash: hashOf(place, code), tries: 0, used: false, until: epochSeconds() + CODE_TTL };
      await records.change(KIND, id(place), () => ({ kept }), CODE_TTL);
      return code;
    },

    async check(place, code) {
      try {
        return (await countTry(place, hashOf(place, tidy(code)))) ? 'right' : 'wrong';
      } catch (error) {
        if (error instanceof Spent) return 'spent';
        throw error;
      }
    },

    end: (place) => records.destroy(KIND, id(place)),
  };
}
