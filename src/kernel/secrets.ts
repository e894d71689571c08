/**
 * Keys derived from the one encryption key of the configuration, and what is done with them: look-up keys (keyed hashes)
 * and sealed values (AES-256-GCM). What the store holds can neither be read nor replayed without that key.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto';

/** 132 bits of the hash: as hard to find as the ids themselves, and half the size of each index. */
const LOOKUP_CHARACTERS = 22;
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;
const NONCES_AT_ONCE = 256;

export interface Vault {
  /** The keyed hash under which `id` is stored; `kind` keeps the name spaces apart. */
  lookupKey(kind: string, id: string): string;
  /** Encrypts; `context` must be given again to `open`. */
  seal(plain: string, context: string): Buffer;
  /** Decrypts what `seal` gave. Throws when it was tampered with or sealed in another context. */
  open(sealed: Uint8Array, context: string): string;
  /** A keyed hash for values that leave the server and come back, such as CSRF tokens. */
  sign(purpose: string, value: string): string;
}

/** Random nonces, drawn from the system many at a time: one call each costs as much as the encryption. */
function createNonces(): () => Uint8Array {
  const pool = Buffer.alloc(NONCE_BYTES * NONCES_AT_ONCE);
  let at = pool.length;
  return () => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    at += NONCE_BYTES;
    return pool.subarray(at - NONCE_BYTES, at);
  };
}

/** @param encryptionKey at least 32 bytes of key material. */
export function createVault(encryptionKey: Buffer): Vault {
  const derive = (purpose: string) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', encryptionKey, '', `gatehouse/${purpose}`, 32)));
  const lookup = derive('lookup');
  const payload = derive('payload');
  const signing = derive('signing');
  const nextNonce = createNonces();

  return {
    lookupKey: (kind, id) =>
      createHmac('sha256', lookup).update(`${kind}:${id}`).digest('base64url').slice(0, LOOKUP_CHARACTERS),
    sign: (purpose, value) => createHmac('sha256', signing).update(`${purpose}:${value}`).digest('base64url'),
    seal(plain, context) {
      const nonce = nextNonce();
      const cipher = createCipheriv('aes-256-gcm', payload, nonce).setAAD(Buffer.from(context));
      const body = cipher.update(plain, 'utf8');
      return Buffer.concat([Buffer.of(VERSION), nonce, body, cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes[0] !== VERSION)
        throw new Error('sealed value has an unknown form');
      const tagAt = bytes.length - TAG_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', payload, bytes.subarray(1, HEADER_BYTES))
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(tagAt));
      return decipher.update(bytes.subarray(HEADER_BYTES, tagAt), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}

/** Compares two strings in a time that depends on neither content nor length. */
export function constantTimeEqual(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}
