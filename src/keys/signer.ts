/**
 * Where private keys are when they are not ours to hold: a PKCS#11 token, a key management service. `keys.signer` names a module
 * that exports `createSigner`; `examples/pkcs11-signer` is one.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JWK } from 'jose';
import { invalidInput } from '../kernel/errors.ts';
import type { SigningAlgorithm } from './signing-key.ts';

export interface Signer {
  /**
   * Makes a key pair.
   * @returns `reference`: what leads back to it, kept in the store; `publicKey`: its public half.
   */
  generate(alg: SigningAlgorithm): Promise<{ reference: string; publicKey: JWK }>;
  /** @returns the signature of `data` in the form of RFC 7518 (for ES256 that is r and s, 64 bytes). */
  sign(reference: string, alg: SigningAlgorithm, data: Uint8Array): Promise<Uint8Array>;
  /** Destroys a key that signs no more, or was made and is not wanted. */
  remove?(reference: string): Promise<void>;
}

/** @param file path of a module with `createSigner(): Signer | Promise<Signer>`. @throws invalid_input naming what is wrong with it. */
export async function loadSigner(file: string): Promise<Signer> {
  const wrong = (why: string) => invalidInput(`keys.signer: ${file} ${why}`, 'keys.signer');
  let loaded: { createSigner?: unknown };
  try {
    loaded = (await import(pathToFileURL(path.resolve(file)).href)) as { createSigner?: unknown };
  } catch (error) {
    throw wrong(`cannot be loaded: ${(error as Error).message}`);
  }
  if (typeof loaded.createSigner !== 'function') throw wrong('exports no function createSigner');
  const signer = (await (loaded.createSigner as () => unknown)()) as Partial<Signer> | undefined;
  if (typeof signer?.generate !== 'function' || typeof signer.sign !== 'function')
    throw wrong('gives a signer without generate and sign');
  return signer as Signer;
}
