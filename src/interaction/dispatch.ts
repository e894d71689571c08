/**
 * Interaction: the pages between an app's request and the answer to it. This room owns the journey (sign in, sign up, consent,
 * log out, dead ends); what a code or a grant is it leaves to `oidc/`. One dispatcher names the next step; a step proves one
 * thing and comes back to it.
 */
import { acrOf, amrOf } from '../factors/levels.ts';
import type { Proof } from '../factors/levels.ts';
import type { FactorStep } from '../factors/next.ts';

export type { Proof, ProofMethod } from '../factors/levels.ts';

export interface Journey {
  /** What the provider asks for. */
  prompt: 'login' | 'consent';
  /** All of one account. */
  proofs: Proof[];
  /** The client skips consent. */
  first_party: boolean;
  /** The account may not be used before its e-mail is proved, and it is not. */
  must_verify_email: boolean;
  /** What the proofs still lack: see `factors/next.ts`. */
  factor?: FactorStep['step'];
  /** An upstream identity was proved, and its account is not known yet. */
  identity?: boolean;
  /** The account that an upstream identity may join once it is proved. */
  joining?: string | undefined;
  /** A passkey is to be added: to a new account that has no password, or where the person likes the offer. */
  add_passkey?: 'sign-up' | 'offer' | undefined;
  /** The account is about to be deleted, as its person asked. */
  leaving?: boolean;
  /** They came by a password that is good for choosing another one alone. */
  new_password?: boolean;
}

/** `upstream` finds the account of an identity, `link` is the page that asks to prove one, `join` joins the two. */
export type Step =
  | 'sign-in'
  | 'verify-email'
  | 'upstream'
  | 'link'
  | 'join'
  | 'second-factor'
  | 'enrol'
  | 'add-passkey'
  | 'keep-account'
  | 'new-password'
  | 'unmet'
  | 'consent'
  | 'grant'
  | 'signed-in';

/** The next step: a page for the person, or (`grant`, `signed-in`) an end of this interaction. */
export function nextStep({
  prompt,
  proofs,
  first_party,
  must_verify_email,
  factor = 'enough',
  identity,
  joining,
  add_passkey,
  leaving,
  new_password,
}: Journey): Step {
  if (identity) return 'upstream';
  if (joining !== undefined) return proofs.some(({ account_id }) => account_id === joining) ? 'join' : 'link';
  if (proofs.length > 0 && must_verify_email) return 'verify-email';
  // Who has a factor proves it before anything is added.
  if (proofs.length > 0 && (factor === 'second-factor' || factor === 'unmet')) return factor;
  if (proofs.length > 0 && leaving) return 'keep-account';
  if (proofs.length > 0 && new_password) return 'new-password';
  if (add_passkey === 'sign-up') return 'add-passkey';
  if (proofs.length > 0 && factor !== 'enough') return factor;
  if (add_passkey === 'offer') return 'add-passkey';
  if (proofs.length > 0) return 'signed-in';
  if (prompt === 'login') return 'sign-in';
  return first_party ? 'grant' : 'consent';
}

/** Proofs as the library's login result; `ts` is when the first thing was proved. */
export function loginResult(proofs: [Proof, ...Proof[]]) {
  const [first] = proofs;
  const [amr, acr] = [amrOf(proofs), acrOf(proofs)];
  return {
    accountId: first.account_id,
    ...(amr.length > 0 ? { amr } : {}),
    ...(acr === undefined ? {} : { acr }),
    ts: first.at,
    /** Kept in the session: see `oidc/library-sessions.ts`. */
    proofs,
    remember: true,
  };
}
