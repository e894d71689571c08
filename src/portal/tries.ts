/** Guesses at what a person has, made on their own page: limited as they are in a sign-in. */
import type { CurrentCaller } from '../kernel/caller.ts';
import { isGatehouseError, minutes } from '../kernel/errors.ts';
import type { GuessKind, Limits } from '../limits/limits.ts';
import type { Visit } from './section.ts';

export interface TryNeeds {
  limits: Pick<Limits, 'guess'>;
  caller: CurrentCaller;
}

/** @param check gives undefined where the guess was wrong. @returns what it gave, or the minutes to wait. */
export async function tryWithin<T>(
  { limits, caller }: TryNeeds,
  kind: GuessKind,
  { account }: Visit,
  check: () => Promise<T | undefined>,
): Promise<{ found: T | undefined } | { wait: number }> {
  try {
    const keys = { account: account.email, address: caller()?.address ?? 'unknown' };
    return { found: await limits.guess(kind, keys, check) };
  } catch (error) {
    if (isGatehouseError(error, 'limited')) return { wait: minutes(error) };
    throw error;
  }
}
