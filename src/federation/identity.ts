/**
 * Federation: signing in with an account at another provider. This room owns the connectors (how to ask Google, GitHub and others
 * who somebody is), the identities (who there is which account here) and the rules by which an identity gets its account. It
 * knows nothing of HTTP requests to us, of pages or of tokens; upstream tokens are dropped as soon as they have been read.
 */

/** What an upstream said of a person, checked and cut to size. */
export interface UpstreamIdentity {
  /** Name of the provider in the configuration, such as `google`. */
  provider: string;
  /** The upstream's issuer identifier. */
  issuer: string;
  /** What the upstream calls the person, for ever. */
  subject: string;
  email: string | null;
  /** True only where the upstream says so and the configuration believes it. */
  email_verified: boolean;
  name: string | null;
  picture: string | null;
  /** How the person signed in there; only where the configuration trusts it with that. */
  amr?: string[];
  acr?: string;
  /** Epoch seconds of the sign-in there, where the upstream tells. */
  auth_time?: number;
}

/** An upstream identity that was proved in a journey and has no account yet. */
export interface PendingIdentity extends UpstreamIdentity {
  /** Epoch seconds of the proof. */
  at: number;
}

/** Who at an upstream is which account here. Unique by provider, issuer and subject. */
export interface Identity {
  provider: string;
  issuer: string;
  subject: string;
  account_id: string;
  /** As last seen there. */
  email: string | null;
  created_at: string;
  last_used_at: string;
}

/** What names an identity. */
export type IdentityKey = Pick<Identity, 'provider' | 'issuer' | 'subject'>;
