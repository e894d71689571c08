import type { SigningAlgorithm } from './signing-key.ts';

/** All times in seconds. */
export interface RotationPolicy {
  /** The first signs access tokens. */
  algorithms: readonly SigningAlgorithm[];
  /** How long a key signs before the next one takes over; 0: until somebody says so. */
  rotation: number;
  /** How long the next one is published before it signs. */
  lead: number;
  /** How long caches may keep the key set. */
  cache: number;
  /** How long a key stays published after it ceased to sign. */
  retirement: number;
  /** Life of the longest-lived token, as it is set now. */
  readonly longest: number;
}
