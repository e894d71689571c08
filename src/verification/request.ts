/** What a journey waits for a mail for: one request per interaction, changed by compare-and-set. */
import { epochSeconds } from '../kernel/clock.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { JourneyMark } from './links.ts';

export type RequestPurpose = 'sign_up' | 'verify_email' | 'sign_in' | 'link_account';

/** An account that does not exist before its address is proved. */
export interface PendingSignUp {
  /** The id it will have: so that a proof that arrives twice makes one account. */
  account_id: string;
  name: string;
  /** The password is hashed at once and forgotten. Null for who signs up without one. */
  password_hash: string | null;
}

export interface MailRequest {
  purpose: RequestPurpose;
  /** The address to be proved. */
  email: string;
  /** Of the mails. */
  locale: string;
  /** The app the person came from, by name. */
  app: string;
  /** Null for a sign-up, and where nobody has the address. */
  account_id: string | null;
  sign_up: PendingSignUp | null;
  /** For `link_account`: the name of the upstream that asks. */
  provider: string | null;
  /** How many mails were asked for. */
  mails: number;
  /** What was proved, once it was. */
  proved: { account_id: string; method: 'mailed_link' | 'mailed_code'; at: number } | null;
}

const KIND = 'MailRequest';

export interface MailRequests {
  find(uid: string): Promise<MailRequest | undefined>;
  put(journey: JourneyMark, request: MailRequest): Promise<void>;
  /** @returns the request as it is then, or undefined where there is none. */
  change(
    journey: Pick<JourneyMark, 'uid' | 'exp'>,
    apply: (request: MailRequest) => MailRequest,
  ): Promise<MailRequest | undefined>;
}

class Absent extends Error {}

export function createMailRequests(records: SealedRecords): MailRequests {
  const lifeOf = ({ exp }: Pick<JourneyMark, 'exp'>) => Math.max(1, exp - epochSeconds());
  /** With the account it ends too: what was proved before a password was changed counts no more. */
  const toPayload = (request: MailRequest) => ({ request, accountId: request.account_id ?? undefined });

  return {
    find: async (uid) => (await records.find(KIND, uid))?.['request'] as MailRequest | undefined,
    put: async (journey, request) => {
      await records.change(KIND, journey.uid, () => toPayload(request), lifeOf(journey));
    },
    async change(journey, apply) {
      try {
        const next = await records.change(
          KIND,
          journey.uid,
          (payload) => {
            if (!payload) throw new Absent();
            return toPayload(apply(payload['request'] as MailRequest));
          },
          lifeOf(journey),
        );
        return next['request'] as MailRequest;
      } catch (error) {
        if (error instanceof Absent) return undefined;
        throw error;
      }
    },
  };
}
