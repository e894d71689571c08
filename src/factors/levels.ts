/**
 * Factors: what a person can prove beside a password, and how much a sign-in has proved. This room owns the levels of a sign-in
 * (`acr`, `amr`), TOTP, recovery codes and remembered devices; pages and routes it leaves to `interaction/` and `portal/`. It knows
 * nothing of HTTP. This file says what proofs add up to and what is asked for: functions without effects.
 */

/** `second_mailed_code` is a code that was mailed as the second factor; `remembered_device` a second factor proved there before. */
export type ProofMethod =
  | 'password'
  | 'federated'
  | 'mailed_link'
  | 'mailed_code'
  | 'passkey'
  | 'totp'
  | 'recovery_code'
  | 'second_mailed_code'
  | 'remembered_device';

/** One thing a person proved. */
export interface Proof {
  method: ProofMethod;
  account_id: string;
  /** Epoch seconds. */
  at: number;
  /** What the proof says of itself in place of the method's own value: a passkey, or an upstream that is trusted with it. */
  amr?: string[];
  acr?: string;
  /** Of `federated`: the provider's name. */
  provider?: string;
  /** Of `passkey`: the authenticator has verified who holds it, by PIN or body: by itself two factors. */
  user_verified?: boolean;
}

/** 1: one factor. 2: two factors. 3: two factors, one of which no other site can ask for (phishing-resistant). */
export type Level = 1 | 2 | 3;

/** `acr` values, the weakest first. A stronger one satisfies whoever asks for a weaker one. */
export const ACR: Record<Level, string> = {
  1: 'urn:gatehouse:acr:1',
  2: 'urn:gatehouse:acr:2',
  3: 'urn:gatehouse:acr:3',
};
export const ACR_VALUES: string[] = Object.values(ACR);

/** @returns undefined for a value that is not ours. */
export function levelOf(acr: string | undefined): Level | undefined {
  const found = Object.entries(ACR).find(([, value]) => value === acr);
  return found && (Number(found[0]) as Level);
}

/** By RFC 8176, which has no value for a sign-in elsewhere and none for a device that is remembered. */
const AMR: Record<ProofMethod, string[]> = {
  password: ['pwd'],
  federated: [],
  mailed_link: ['otp'],
  mailed_code: ['otp'],
  passkey: ['pop'],
  totp: ['otp'],
  recovery_code: ['otp'],
  second_mailed_code: ['otp'],
  remembered_device: [],
};

/** What is the same thing proved twice. */
const FACTOR: Record<ProofMethod, 'knows' | 'mailbox' | 'elsewhere' | 'has'> = {
  password: 'knows',
  federated: 'elsewhere',
  mailed_link: 'mailbox',
  mailed_code: 'mailbox',
  second_mailed_code: 'mailbox',
  passkey: 'has',
  totp: 'has',
  recovery_code: 'has',
  remembered_device: 'has',
};

/** Methods that make a sign-in one of two factors. A mailed link or code that identified the person is no second one. */
const SECOND: ProofMethod[] = ['passkey', 'totp', 'recovery_code', 'second_mailed_code', 'remembered_device'];

/** Of upstreams that are trusted to say how somebody signed in there (RFC 8176; OpenID EAP ACR Values). */
const PHISHING_RESISTANT_ELSEWHERE = new Set(['phr', 'phrh']);

function levelElsewhere({ amr = [], acr }: Proof): Level {
  if (acr !== undefined && PHISHING_RESISTANT_ELSEWHERE.has(acr)) return 3;
  return amr.includes('mfa') ? 2 : 1;
}

function levelAlone(proof: Proof): Level {
  if (proof.method === 'federated') return levelElsewhere(proof);
  return proof.method === 'passkey' && proof.user_verified === true ? 3 : 1;
}

/** Whether `second` proves more than `first` did. Whoever reads the mail can often sign in elsewhere with the same address. */
function isOther(first: Proof, second: Proof): boolean {
  const [one, other] = [FACTOR[first.method], FACTOR[second.method]];
  return one !== other && !(one === 'elsewhere' && other === 'mailbox');
}

/** Which level the proofs of one person reach together; 0 for none. */
export function reachedLevel(proofs: Proof[]): Level | 0 {
  if (proofs.length === 0) return 0;
  const alone = Math.max(...proofs.map(levelAlone)) as Level;
  const two = proofs.some((second) => SECOND.includes(second.method) && proofs.some((first) => isOther(first, second)));
  const phishingResistant = two && proofs.some(({ method }) => method === 'passkey');
  return Math.max(alone, phishingResistant ? 3 : two ? 2 : 1) as Level;
}

/** `amr` of a sign-in (RFC 8176): what was proved, and `mfa` where that is more than one factor. */
export function amrOf(proofs: Proof[]): string[] {
  const values = proofs.flatMap((proof) => proof.amr ?? AMR[proof.method]);
  return [...new Set([...values, ...(reachedLevel(proofs) >= 2 ? ['mfa'] : [])])];
}

/**
 * `acr` of a sign-in. Where somebody signed in elsewhere and nothing was proved here, it is what a trusted upstream says, or
 * nothing: how many factors that took we do not know.
 */
export function acrOf(proofs: Proof[]): string | undefined {
  const level = reachedLevel(proofs);
  if (level === 0) return undefined;
  const [only] = proofs;
  if (level === 1 && proofs.every(({ method }) => method === 'federated')) return only?.acr;
  if (proofs.length === 1 && only?.acr !== undefined) return only.acr;
  return ACR[level];
}

export interface Policy {
  /** `off`: nobody is asked for a second factor or offered one. `optional`: who has one is asked. */
  policy: 'off' | 'optional' | 'required';
  /** Whoever has one of these must have a second factor, also where it is optional. */
  required_roles: readonly string[];
  /** A mailed code is good as a second factor. */
  mailed_code: boolean;
}

/** What an app asks for. */
export interface Asked {
  /** Of the request, or of the client where the request names none. */
  acr_values: readonly string[];
  /** What the ID token must say, whichever of them: `claims` with an essential `acr`. Undefined where nothing is essential. */
  essential?: readonly string[] | undefined;
  /** Of the client's registration: what no request can lower. */
  default_acr_values: readonly string[];
}

export interface Required {
  /** What must be reached: short of it there is no sign-in. */
  firm: Level;
  /** What should be, if it can: otherwise the sign-in goes on with what there is. At least `firm`. */
  wished: Level;
  /** That `firm` is more than one comes from the policy alone, which may give people time. */
  by_policy: boolean;
}

const levelsOf = (values: readonly string[]): Level[] => values.map(levelOf).filter((level) => level !== undefined);
const lowest = (values: readonly string[]): Level => Math.min(3, ...levelsOf(values)) as Level;
const anyOf = (values: readonly string[]): Level => (levelsOf(values).length === 0 ? 1 : lowest(values));

/** Whether the policy demands a second factor of a person with these roles, whatever the app asks for. */
export const isRequiredOf = ({ policy, required_roles }: Policy, roles: string[]): boolean =>
  policy === 'required' || (policy === 'optional' && roles.some((role) => required_roles.includes(role)));

/**
 * The level that a sign-in must reach, before looking at what the person has. Several values are alternatives: the weakest of them is
 * enough. Values that are not ours ask for nothing, except that nothing satisfies essential ones of which none is ours: see
 * `isUnknown`.
 */
export function requiredLevel(policy: Policy, roles: string[], asked: Asked): Required {
  const { acr_values, essential, default_acr_values } = asked;
  const byApp = Math.max(anyOf(default_acr_values), essential ? anyOf(essential) : 1) as Level;
  const firm = Math.max(byApp, isRequiredOf(policy, roles) ? 2 : 1) as Level;
  return { firm, wished: Math.max(firm, anyOf(acr_values)) as Level, by_policy: firm > byApp };
}

/** Whether an app insists on a value that we do not have. */
export const isUnknown = ({ essential }: Pick<Asked, 'essential'>): boolean =>
  essential !== undefined && levelsOf(essential).length === 0;

/** The `acr` that answers a request: of the values asked for the strongest that was reached, or else what was reached. */
export function acrToTell(values: readonly string[], proofs: Proof[]): string | undefined {
  const level = reachedLevel(proofs);
  const satisfied = levelsOf(values).filter((value) => value <= level);
  return satisfied.length > 0 ? ACR[Math.max(...satisfied) as Level] : acrOf(proofs);
}
