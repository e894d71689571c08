/** The key set as apps see it, and time-scaled rotation. */
import type { JWK } from 'jose';

/** Key rotation in seconds: published for 3, signing for 4. */
export const FAST_KEYS = {
  GATEHOUSE_KEYS_ROTATION: '4',
  GATEHOUSE_KEYS_LEAD: '3',
  GATEHOUSE_KEYS_CACHE: '1',
  GATEHOUSE_KEYS_RETIREMENT: '6',
  GATEHOUSE_LIFETIMES_ACCESS_TOKEN: '3',
  GATEHOUSE_LIFETIMES_ID_TOKEN: '3',
};

export async function keySet(issuer: string): Promise<JWK[]> {
  const response = await fetch(`${issuer}/jwks`);
  return ((await response.json()) as { keys: JWK[] }).keys;
}

export const keyIds = async (issuer: string): Promise<string[]> => (await keySet(issuer)).map(({ kid }) => kid!);
