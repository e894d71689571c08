/** Keys: what signs tokens. This room owns their making, sealing and rotation, and says which of them is in force. */
import type { JWK } from 'jose';

/** Those we can sign with (RFC 7518, RFC 8037). */
export const SIGNING_ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/**
 * `next` is published and does not sign yet. `active` signs. `retiring` signs no more and stays published, until all that it
 * signed has expired. `removed` is not published, its private part is gone, and nothing that it signed is accepted.
 */
export type KeyState = 'next' | 'active' | 'retiring' | 'removed';

/** Times are ISO 8601. */
export interface SigningKey {
  /** The key id in token headers: the key's thumbprint (RFC 7638). */
  id: string;
  alg: SigningAlgorithm;
  state: KeyState;
  public_jwk: JWK;
  /** Where the private key is: sealed in the store, or with an external signer. */
  held: 'store' | 'signer';
  /** The private JWK, or the signer's name for it, encrypted, in base64; null once it was removed. */
  sealed: string | null;
  /** Since when it is published. */
  created_at: string;
  /** When it begins to sign, or began. */
  signs_at: string;
  /** When it ceased to sign. */
  stopped_at: string | null;
  /** When it is removed, or was. */
  ends_at: string | null;
  /** It was removed because somebody else may have it. */
  compromised: boolean;
}

/** All signing keys there are, and were lately. */
export interface KeyRing {
  version: number;
  keys: SigningKey[];
}

const PUBLISHED = ['active', 'next', 'retiring'] as const;

/** The keys of the public key set: of each algorithm the one that signs first. */
export const publishedKeys = (keys: SigningKey[]): SigningKey[] =>
  PUBLISHED.flatMap((state) => keys.filter((key) => key.state === state));

export const activeKey = (keys: SigningKey[], alg: string): SigningKey | undefined =>
  keys.find((key) => key.alg === alg && key.state === 'active');
