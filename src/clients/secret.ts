import { hash } from 'node:crypto';
import { constantTimeEqual } from '../kernel/secrets.ts';

const SCHEME = 'sha256:';

/** Client secrets carry 256 random bits, so one fast hash is enough: there is nothing to guess. */
export const hashSecret = (secret: string): string => SCHEME + hash('sha256', secret, 'base64url');

export const secretMatches = (secret: string, secretHash: string): boolean =>
  constantTimeEqual(hashSecret(secret), secretHash);
