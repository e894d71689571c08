/** The signing keys as the library takes them: it sees public halves, and asks us to sign. */
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createLocalJWKSet } from 'jose';
import type { JWTVerifyGetKey } from 'jose';
import { ExternalSigningKey } from 'oidc-provider';
import { publishedKeys } from '../keys/signing-key.ts';
import type { SigningKey } from '../keys/signing-key.ts';

/** @returns the signature of `data`. @throws unavailable when the key may sign no more. */
export type SignWith = (id: string, data: Uint8Array) => Promise<Uint8Array>;

class RingKey extends ExternalSigningKey {
  readonly #key: SigningKey;
  readonly #sign: SignWith;
  #public: KeyObject | undefined;

  constructor(key: SigningKey, sign: SignWith) {
    super();
    this.#key = key;
    this.#sign = sign;
  }

  override get kid(): string {
    return this.#key.id;
  }

  override get alg(): string {
    return this.#key.alg;
  }

  override keyObject(): KeyObject {
    return (this.#public ??= createPublicKey({ key: this.#key.public_jwk, format: 'jwk' }));
  }

  override sign(data: Uint8Array): Promise<Uint8Array> {
    return this.#sign(this.#key.id, data);
  }
}

/** The key set of the library. It takes the first of an algorithm: the one that signs. */
export const keySet = (keys: SigningKey[], sign: SignWith): ExternalSigningKey[] =>
  publishedKeys(keys).map((key) => new RingKey(key, sign));

/** Keys whose signatures are good: what is only published has signed nothing yet. */
export function verificationKeys(keys: SigningKey[]): JWTVerifyGetKey {
  const good = publishedKeys(keys).filter(({ state }) => state !== 'next');
  const jwks = good.map(({ id, alg, public_jwk }) => ({ ...public_jwk, kid: id, alg }));
  return createLocalJWKSet({ keys: jwks });
}
