/** Challenges that a passkey signs: 256 random bits, good once, for five minutes, for one purpose of one browser's journey. */
import { epochSeconds } from '../kernel/clock.ts';
import { newSecret } from '../kernel/ids.ts';

/** In seconds. */
export const CHALLENGE_TTL = 300;
/** Several tabs and tries have one each; more than these make the oldest end, so that nobody fills the store. */
const MOST_AT_ONCE = 8;
const KIND = 'PasskeyChallenge';

/** `second_factor` also proves anew who is known already. */
export type ChallengePurpose = 'sign_in' | 'second_factor' | 'register';

export interface Challenge {
  value: string;
  purpose: ChallengePurpose;
  /** Whose passkey may answer; null where that is what the answer shall tell. */
  account_id: string | null;
  /** Epoch seconds. */
  expires_at: number;
}

export interface Challenges {
  /**
   * @param binding what only this browser's journey has: the uid of an interaction, the id of a session on the server.
   * @returns the challenge in base64url.
   */
  issue(binding: string, challenge: Pick<Challenge, 'purpose' | 'account_id'>): Promise<string>;
  /** Uses a challenge up: of callers at once one gets it. Undefined when it is used, expired, or of another purpose or binding. */
  take(binding: string, purpose: ChallengePurpose, value: string): Promise<Challenge | undefined>;
}

class Gone extends Error {}

type Payload = Record<string, unknown>;

interface Needs {
  /** Sealed, and changed by compare-and-set. */
  records: {
    change(kind: string, id: string, apply: (current: Payload | undefined) => Payload, ttl: number): Promise<unknown>;
  };
}

export function createChallenges({ records }: Needs): Challenges {
  const openOf = (payload: Payload | undefined): Challenge[] =>
    ((payload?.['open'] as Challenge[] | undefined) ?? []).filter(({ expires_at }) => expires_at > epochSeconds());

  return {
    async issue(binding, { purpose, account_id }) {
      const value = newSecret();
      const challenge = { value, purpose, account_id, expires_at: epochSeconds() + CHALLENGE_TTL };
      const add = (payload: Payload | undefined) => ({
        open: [...openOf(payload), challenge].slice(-MOST_AT_ONCE),
      });
      await records.change(KIND, binding, add, CHALLENGE_TTL);
      return value;
    },
    async take(binding, purpose, value) {
      let taken: Challenge | undefined;
      try {
        await records.change(
          KIND,
          binding,
          (payload) => {
            const open = openOf(payload);
            taken = open.find((one) => one.value === value && one.purpose === purpose);
            if (!taken) throw new Gone();
            return { open: open.filter((one) => one !== taken) };
          },
          CHALLENGE_TTL,
        );
        return taken;
      } catch (error) {
        if (error instanceof Gone) return undefined;
        throw error;
      }
    },
  };
}
