/** Signs what a plain answer carries, as the library does (RFC 7515, section 3.1). */
import { activeKey } from '../../keys/signing-key.ts';
import type { LiveKeys } from '../../keys/live-keys.ts';

/** @returns the JWT. @throws Error where no key of this algorithm signs; unavailable where it cannot be reached. */
export type SignJwt = (alg: string, typ: string | undefined, payload: object) => Promise<string>;

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

export const createSignJwt =
  (keys: Pick<LiveKeys, 'keys' | 'sign'>): SignJwt =>
  async (alg, typ, payload) => {
    const key = activeKey(keys.keys(), alg);
    if (!key) throw new Error(`no key signs ${alg}`);
    const signed = `${encode({ alg, typ, kid: key.id })}.${encode(payload)}`;
    const signature = await keys.sign(key.id, Buffer.from(signed));
    return `${signed}.${Buffer.from(signature.buffer, signature.byteOffset, signature.byteLength).toString('base64url')}`;
  };
