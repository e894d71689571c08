/**
 * Interaction: the pages between an app's request and the answer to it. This room owns the journey (sign in, sign up, consent,
 * log out, dead ends); what a code or a grant is it leaves to `oidc/`. One dispatcher names the next step; a step proves one
 * thing and comes back to it.
 */

/** One thing a person proved during this interaction. */
export interface Proof {
  method: 'password' | 'federated' | 'mailed_link' | 'mailed_code';
  account_id: string;
  /** Epoch seconds. */
  at: number;
  /** What the proof says of itself in place of the method's own value: from an upstream that is trusted with it. */
  amr?: string[];
  acr?: string;
  /** Of `federated`: the provider's name. */
  provider?: string;
}

export interface Journey {
  /** What the provider asks for. */
  prompt: 'login' | 'consent';
  /** All of one account. */
  proofs: Proof[];
  /** The client skips consent. */
  first_party: boolean;
  /** The account may not be used before its e-mail is proved, and it is not. */
  must_verify_email: boolean;
  /** An upstream identity was proved, and its account is not known yet. */
  identity?: boolean;
  /** The account that an upstream identity may join once it is proved. */
  joining?: string | undefined;
}

/** `upstream` finds the account of an identity, `link` is the page that asks to prove one, `join` joins the two. */
export type Step = 'sign-in' | 'verify-email' | 'upstream' | 'link' | 'join' | 'consent' | 'grant' | 'signed-in';

/** The next step: a page for the person, or (`grant`, `signed-in`) an end of this interaction. */
export function nextStep({ prompt, proofs, first_party, must_verify_email, identity, joining }: Journey): Step {
  if (identity) return 'upstream';
  if (joining !== undefined) return proofs.some(({ account_id }) => account_id === joining) ? 'join' : 'link';
  if (proofs.length > 0 && must_verify_email) return 'verify-email';
  if (proofs.length > 0) return 'signed-in';
  if (prompt === 'login') return 'sign-in';
  return first_party ? 'grant' : 'consent';
}

/** By RFC 8176, which has no value for a sign-in elsewhere. */
const AMR: Record<Proof['method'], string[]> = {
  password: ['pwd'],
  federated: [],
  mailed_link: ['otp'],
  mailed_code: ['otp'],
};

/**
 * Proofs as the library's login result: `amr` by RFC 8176, `ts` when the first thing was proved. How somebody signed in elsewhere
 * we do not know: where nothing was proved here and the upstream is not trusted to say, there is neither `amr` nor `acr`.
 */
export function loginResult(proofs: [Proof, ...Proof[]], acr: string) {
  const [first] = proofs;
  const amr = [...new Set(proofs.flatMap((proof) => proof.amr ?? AMR[proof.method]))];
  const provedHere = proofs.some(({ method }) => method !== 'federated');
  const level = provedHere ? acr : first.acr;
  return {
    accountId: first.account_id,
    ...(amr.length > 0 ? { amr } : {}),
    ...(level === undefined ? {} : { acr: level }),
    ts: first.at,
    remember: true,
  };
}
