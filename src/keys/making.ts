/** Private keys: made, sealed, and opened to sign with. Here alone are they in the clear. */
import { constants, createPrivateKey, sign } from 'node:crypto';
import type { SignKeyObjectInput } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { invalidInput, unavailable } from '../kernel/errors.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { Signer } from './signer.ts';
import type { SigningAlgorithm, SigningKey } from './signing-key.ts';

const RSA_BITS = 2048;
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'e', 'n'] as const;
const HASH = 'sha256';
const HASH_BYTES = 32;

/** How Node calls them. */
const ALGORITHMS: Record<SigningAlgorithm, { hash: string | null; options: Omit<SignKeyObjectInput, 'key'> }> = {
  ES256: { hash: HASH, options: { dsaEncoding: 'ieee-p1363' } },
  RS256: { hash: HASH, options: {} },
  PS256: { hash: HASH, options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: HASH_BYTES } },
  EdDSA: { hash: null, options: {} },
};
// On the pool, as WebCrypto does, in fewer steps.
const signOnPool = promisify(sign);

/** @returns the signature of `data` as a JWS has it. @throws unavailable when an external signer does not give it. */
export type Sign = (data: Uint8Array) => Promise<Uint8Array>;

/** A key pair that is nowhere in force yet. */
export type MadeKey = Pick<SigningKey, 'id' | 'alg' | 'public_jwk' | 'held' | 'sealed'>;

export interface KeyMaker {
  make(alg: SigningAlgorithm): Promise<MadeKey>;
  /** Gets ready to sign. @throws invalid_input when none of our encryption keys opens it, or its signer is not configured. */
  open(key: MadeKey): Promise<Sign>;
  /** Seals it with the newest encryption key. @returns undefined where it is so already. */
  reseal(key: MadeKey): string | undefined;
  /** The public half of a private JWK that an older version sealed. @throws invalid_input. */
  publicHalf(key: { id: string; sealed: Uint8Array }): JWK;
  /** Has a signer destroy what it holds of this key. */
  destroy(key: MadeKey): Promise<void>;
}

const context = (id: string) => `signing-key:${id}`;

function publicOf(jwk: JWK): JWK {
  const members = PUBLIC_MEMBERS.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]] as const]));
  return Object.fromEntries(members);
}

export function createKeyMaker({ vault, signer }: { vault: Vault; signer?: Signer | undefined }): KeyMaker {
  const seal = (id: string, plain: string) => vault.seal(plain, context(id)).toString('base64');

  function unseal({ id, sealed }: { id: string; sealed: Uint8Array | string | null }): string {
    const bytes = typeof sealed === 'string' ? Buffer.from(sealed, 'base64') : (sealed ?? new Uint8Array());
    try {
      return vault.open(bytes, context(id));
    } catch {
      throw invalidInput(
        'The signing keys in the store cannot be decrypted: secrets.encryption_key is not the one they were stored with.',
        'secrets.encryption_key',
      );
    }
  }

  function referenceOf(key: MadeKey): { signer: Signer; reference: string } {
    if (!signer)
      throw invalidInput(
        `The signing key ${key.id} is with an external signer, but keys.signer is not set.`,
        'keys.signer',
      );
    return { signer, reference: unseal(key) };
  }

  async function makeHere(alg: SigningAlgorithm): Promise<MadeKey> {
    const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS });
    const jwk = await exportJWK(privateKey);
    const id = await calculateJwkThumbprint(jwk);
    return { id, alg, public_jwk: publicOf(jwk), held: 'store', sealed: seal(id, JSON.stringify(jwk)) };
  }

  return {
    async make(alg) {
      if (!signer) return makeHere(alg);
      const { reference, publicKey } = await signer.generate(alg);
      const public_jwk = publicOf(publicKey);
      const id = await calculateJwkThumbprint(public_jwk);
      return { id, alg, public_jwk, held: 'signer', sealed: seal(id, reference) };
    },

    async open(key) {
      if (key.held === 'signer') {
        const { signer: holder, reference } = referenceOf(key);
        return async (data) => {
          try {
            return await holder.sign(reference, key.alg, data);
          } catch (error) {
            throw unavailable(`The external signer did not sign with ${key.id}.`, error);
          }
        };
      }
      const { hash, options } = ALGORITHMS[key.alg];
      const secret = { ...options, key: createPrivateKey({ key: JSON.parse(unseal(key)) as JWK, format: 'jwk' }) };
      return (data) => signOnPool(hash, data, secret);
    },

    reseal(key) {
      if (key.sealed === null || vault.isCurrent(Buffer.from(key.sealed, 'base64'))) return undefined;
      return seal(key.id, unseal(key));
    },

    publicHalf: (key) => publicOf(JSON.parse(unseal(key)) as JWK),

    async destroy(key) {
      if (key.held !== 'signer' || key.sealed === null) return;
      const { signer: holder, reference } = referenceOf(key);
      await holder.remove?.(reference);
    },
  };
}
