/** Keys: what signs tokens. This room owns their making, their sealing and which one is in force. */
import { exportJWK, generateKeyPair, calculateJwkThumbprint } from 'jose';
import type { JWK } from 'jose';
import { invalidInput, isGatehouseError } from '../kernel/errors.ts';
import { isoNow } from '../kernel/clock.ts';
import type { Vault } from '../kernel/secrets.ts';

/** ES256 first: it signs access tokens. RS256 is the ID token's default by OpenID Connect Core. */
export const SIGNING_ALGORITHMS = ['ES256', 'RS256'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

export interface SigningKey {
  /** The key id in token headers: the key's thumbprint (RFC 7638). */
  id: string;
  alg: SigningAlgorithm;
  state: 'active';
  /** The private JWK, encrypted. */
  sealed: Uint8Array;
  created_at: string;
}

/** Where signing keys are kept. Every write survives power loss once its promise resolves. */
export interface SigningKeyStore {
  /** @throws duplicate when there is an active key of this algorithm: of processes starting at once, one makes it. */
  insert(key: SigningKey): Promise<void>;
  list(): Promise<SigningKey[]>;
}

async function generate(alg: SigningAlgorithm, vault: Vault): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const jwk = await exportJWK(privateKey);
  const id = await calculateJwkThumbprint(jwk);
  const sealed = vault.seal(JSON.stringify({ ...jwk, kid: id, alg, use: 'sig' }), `signing-key:${id}`);
  return { id, alg, state: 'active', sealed, created_at: isoNow() };
}

function open(key: SigningKey, vault: Vault): JWK {
  try {
    return JSON.parse(vault.open(key.sealed, `signing-key:${key.id}`)) as JWK;
  } catch {
    throw invalidInput(
      'The signing keys in the store cannot be decrypted: secrets.encryption_key is not the one they were stored with.',
      'secrets.encryption_key',
    );
  }
}

/**
 * The private key set, one key per algorithm; what is missing is generated.
 * @returns private JWKs in the order of `SIGNING_ALGORITHMS`.
 * @throws invalid_input when the vault's key is not the one that sealed them.
 */
export async function loadSigningKeys({ store, vault }: { store: SigningKeyStore; vault: Vault }): Promise<JWK[]> {
  const kept = await store.list();
  for (const alg of SIGNING_ALGORITHMS.filter((name) => !kept.some((key) => key.alg === name))) {
    try {
      await store.insert(await generate(alg, vault));
    } catch (error) {
      if (!isGatehouseError(error, 'duplicate')) throw error;
    }
  }
  const keys = await store.list();
  return SIGNING_ALGORITHMS.flatMap((alg) => keys.filter((key) => key.alg === alg).map((key) => open(key, vault)));
}
