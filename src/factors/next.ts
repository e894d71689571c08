/** What a sign-in still needs: enough, another factor, a factor to be added first, or what cannot be had. */
import { reachedLevel } from './levels.ts';
import type { Level, Policy, Proof, ProofMethod, Required } from './levels.ts';
import type { FactorSummary } from './factors.ts';

/** Ways to prove a second factor, the best first. */
export type Way = 'totp' | 'passkey' | 'recovery_code' | 'second_mailed_code';

export type FactorStep =
  | { step: 'enough' }
  /** By one of these. */
  | { step: 'second-factor'; ways: Way[] }
  /** `mandatory`: the sign-in does not go on without. */
  | { step: 'enrol'; kinds: ('totp' | 'passkey')[]; mandatory: boolean }
  /** What the app insists on is out of reach for this person. */
  | { step: 'unmet' };

export interface Standing {
  policy: Policy;
  required: Required;
  /** The policy still gives the person time to add a factor. */
  grace: boolean;
  /** They said "not now" in this sign-in. */
  skipped: boolean;
  /** All of one account; none where only reach is asked for. */
  proofs: Proof[];
  has: FactorSummary;
  /** A code can be mailed to an address that is known to be theirs. */
  can_mail: boolean;
  /** Passkeys can be added on the way. */
  can_enrol_passkey: boolean;
}

const ORDER: Way[] = ['totp', 'passkey', 'recovery_code', 'second_mailed_code'];

const asProof = (method: ProofMethod): Proof => ({
  method,
  account_id: '',
  at: 0,
  ...(method === 'passkey' ? { user_verified: true } : {}),
});

function waysTo(level: Level, { policy, proofs, has, can_mail }: Standing): Way[] {
  const on = policy.policy !== 'off';
  const there: Record<Way, boolean> = {
    totp: on && has.totp,
    passkey: has.passkeys > 0,
    recovery_code: on && has.recovery_codes_left > 0,
    // In the place of what is lost, not of what was never there.
    second_mailed_code: on && policy.mailed_code && can_mail && (has.totp || has.passkeys > 0),
  };
  return ORDER.filter((way) => there[way] && reachedLevel([...proofs, asProof(way)]) >= level);
}

/** Towards one level. `mandatory`: short of it there is no sign-in. */
function towards(need: Level, mandatory: boolean, standing: Standing): FactorStep {
  const { policy, proofs, has, skipped, can_enrol_passkey } = standing;
  const level = reachedLevel(proofs);
  if (level >= need) return { step: 'enough' };
  const ways = waysTo(need, standing);
  if (ways.length > 0) return { step: 'second-factor', ways };
  const without: FactorStep = mandatory ? { step: 'unmet' } : { step: 'enough' };
  const kinds = enrollable(need, policy.policy !== 'off', can_enrol_passkey);
  if (kinds.length === 0 || (skipped && !mandatory)) return without;
  // Who has a factor proves it before another one is added: itself, for whoever sits at a browser may have stolen its mark.
  const now = reachedLevel(proofs.filter(({ method }) => method !== 'remembered_device'));
  if (now >= 2 || (!has.totp && has.passkeys === 0)) return { step: 'enrol', kinds, mandatory };
  const first = waysTo(2, standing);
  return first.length > 0 ? { step: 'second-factor', ways: first } : without;
}

export function nextFactor(standing: Standing): FactorStep {
  const { policy, required, grace, has } = standing;
  // Who has an authenticator app has asked not to be let in without.
  const own = towards(policy.policy !== 'off' && has.totp ? 2 : 1, true, standing);
  if (own.step !== 'enough') return own;
  const firm = towards(required.firm, !(grace && required.by_policy), standing);
  if (firm.step !== 'enough' && !(firm.step === 'enrol' && required.wished > required.firm)) return firm;
  const wished = towards(required.wished, false, standing);
  return wished.step === 'enough' ? firm : wished;
}

/** What can be added on the way and reaches the level. */
function enrollable(need: Level, on: boolean, passkey: boolean): ('totp' | 'passkey')[] {
  if (!on) return [];
  return [...(need <= 2 ? (['totp'] as const) : []), ...(passkey ? (['passkey'] as const) : [])];
}
