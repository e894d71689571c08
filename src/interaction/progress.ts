/** What was proved on the way to a sign-in, kept where several tabs and processes can add to it and nothing is lost. */
import type { PendingIdentity } from '../federation/identity.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Payload, SealedRecords } from '../protocol/sealed-records.ts';
import type { Interaction } from './journey.ts';
import type { Proof, ProofMethod } from './dispatch.ts';

const KIND = 'Progress';

/** Of one interaction. */
export interface Progress {
  /** All of one account, oldest first. */
  proofs: Proof[];
  /** An upstream identity that was proved and whose account is not known yet. */
  identity?: PendingIdentity | undefined;
  /** It may join this account, once that is proved. */
  joining?: { identity: PendingIdentity; account_id: string; by_mail_alone: boolean } | undefined;
  /** Somebody signs up with a passkey in place of a password: the account that is made with it, or was, when its address was proved. */
  sign_up?: { account_id: string; name: string; email: string } | undefined;
  /** The page to add a passkey was answered. */
  passkey_answered?: boolean | undefined;
  /** "Not now" was said to adding a factor. */
  enrolment_skipped?: boolean | undefined;
  /** Why the last attempt to sign in with an upstream led nowhere. */
  upstream_problem?: { provider: string; problem: string } | undefined;
}

export interface ProgressRecords {
  load(details: Pick<Interaction, 'uid'>): Promise<Progress>;
  /** Makes the newest progress into the next one; lives as long as the interaction. @returns the next one. */
  change(details: Pick<Interaction, 'uid' | 'exp'>, apply: (progress: Progress) => Progress): Promise<Progress>;
}

/** What proves nothing of who somebody is: only that it is still them. */
const SECOND_ONLY: ProofMethod[] = ['totp', 'recovery_code', 'second_mailed_code', 'remembered_device'];

/**
 * With one proof more. A proof of another account starts anew: proofs of two people never add up. A second factor counts only
 * beside a first one.
 */
export function withProof(progress: Progress, proof: Proof): Progress {
  const same = progress.proofs.filter(({ account_id }) => account_id === proof.account_id);
  if (same.length === 0 && SECOND_ONLY.includes(proof.method)) return progress;
  const joining = progress.joining?.account_id === proof.account_id ? progress.joining : undefined;
  const sign_up = progress.sign_up?.account_id === proof.account_id ? progress.sign_up : undefined;
  const enrolment_skipped = same.length > 0 ? progress.enrolment_skipped : undefined;
  const others = same.filter(({ method }) => method !== proof.method);
  return { ...progress, joining, sign_up, enrolment_skipped, proofs: [...others, proof] };
}

const toProgress = (payload: Payload | undefined): Progress =>
  (payload?.['progress'] as Progress | undefined) ?? { proofs: [] };

export function createProgress(records: SealedRecords): ProgressRecords {
  return {
    load: async ({ uid }) => toProgress(await records.find(KIND, uid)),
    async change(details, apply) {
      const ttl = Math.max(1, details.exp - epochSeconds());
      const next = await records.change(
        KIND,
        details.uid,
        (payload) => {
          const progress = apply(toProgress(payload));
          // With the account it ends too: nobody goes on with what was proved before a password was changed.
          return { progress, accountId: progress.proofs[0]?.account_id };
        },
        ttl,
      );
      return toProgress(next);
    },
  };
}
