import type { Sealing } from './secrets.ts';

export interface Resealed {
  resealed: number;
  /** Somebody else wrote them at the same moment, perhaps as they were. */
  missed: number;
  /** No key that is known opens them. */
  unreadable: number;
}

/** One sealed value where it lies. */
export interface SealedValue {
  sealed: Uint8Array;
  context: string;
  /** Puts `sealed` in its place, if nobody has changed it meanwhile. @returns whether it did. */
  replace(sealed: Buffer): Promise<boolean>;
}

/** Seals values with the newest key, each by itself: what is broken off is gone on with by doing it again. */
export async function resealAll(values: AsyncIterable<SealedValue>, sealing: Sealing): Promise<Resealed> {
  const done: Resealed = { resealed: 0, missed: 0, unreadable: 0 };
  for await (const { sealed, context, replace } of values) {
    if (sealing.isCurrent(sealed)) continue;
    let plain: string;
    try {
      plain = sealing.open(sealed, context);
    } catch {
      done.unreadable += 1;
      continue;
    }
    if (await replace(sealing.seal(plain, context))) done.resealed += 1;
    else done.missed += 1;
  }
  return done;
}
