/** An external signer whose keys can be out of reach: while `SIGNER_IS_AWAY` is set. */
import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Signer } from '../../src/keys/signer.ts';

const held = new Map<string, KeyObject>();

export function createSigner(): Signer {
  return {
    async generate(alg) {
      const { privateKey, publicKey } =
        alg === 'ES256'
          ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
          : generateKeyPairSync('rsa', { modulusLength: 2048 });
      const reference = String(held.size);
      held.set(reference, privateKey);
      return { reference, publicKey: publicKey.export({ format: 'jwk' }) };
    },
    async sign(reference, _alg, data) {
      if (process.env['SIGNER_IS_AWAY']) throw new Error('the module does not answer');
      return new Uint8Array(sign('sha256', data, { key: held.get(reference)!, dsaEncoding: 'ieee-p1363' }));
    },
  };
}
