import { hash } from 'node:crypto';
import type { KeySetFetch } from './store.ts';

/** Under which fetches by the same address and user agent are added up. */
export const fetchId = ({ address, user_agent }: Pick<KeySetFetch, 'address' | 'user_agent'>): string =>
  hash('sha256', JSON.stringify([address, user_agent]), 'base64url');
