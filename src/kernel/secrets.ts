/**
 * Keys derived from the encryption keys of the configuration, and what is done with them: look-up keys (keyed hashes) and sealed
 * values (AES-256-GCM). What the store holds can neither be read nor replayed without those keys.
 *
 * A sealed value names the encryption key it was sealed with, so that several can be in use while one takes the other's place.
 * Each purpose has a key of its own, derived by HKDF: what one part of the program seals, no other opens.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hash, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import QuickLRU from 'quick-lru';
import { createKeyedHash } from './keyed-hash.ts';
import { createRandomBytes } from './random.ts';

/** 132 bits of the hash: as hard to find as the ids themselves, and half the size of each index. */
const LOOKUP_CHARACTERS = 22;
const KEY_BYTES = 32;
/** The first form knew one key for all purposes, and did not say which it was. */
const OLD_VERSION = 1;
const VERSION = 2;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCE_AT = 1 + KEY_ID_BYTES;
const BODY_AT = NONCE_AT + NONCE_BYTES;
const HASH_BYTES = 32;
/** Look-up keys that are remembered, and once more as many: who comes again within minutes. */
const LOOKUPS = 2000;

/** What is sealed, by where it lies: `tokens` are with apps, the others in the store, where `secrets rotate` seals them anew. */
export type Purpose = 'records' | 'tokens' | 'factors' | 'mail' | 'clients' | 'logout' | 'keys' | 'providers';

/** Keyed hashes. Their keys outlive every encryption key: what was hashed cannot be hashed anew. */
export interface Hashing {
  /** The keyed hash under which `id` is stored; `kind` keeps the name spaces apart. */
  lookupKey(kind: string, id: string): string;
  /** A keyed hash for values that leave the server and come back, such as CSRF tokens. */
  sign(purpose: string, value: string): string;
}

export interface Sealing {
  /** Encrypts; `context` must be given again to `open`. */
  seal(plain: string, context: string): Buffer;
  /** Decrypts what `seal` gave. Throws when it was tampered with, sealed in another context, or with a key that is not known. */
  open(sealed: Uint8Array, context: string): string;
  /** Whether it was sealed with the newest key for this purpose. What was not can be sealed anew. */
  isCurrent(sealed: Uint8Array): boolean;
}

/** What a room is given: hashes, and sealing for its own purpose. */
export interface Vault extends Hashing, Sealing {}

/** Two keys of 32 bytes, for `lookupKey` and for `sign`. */
export interface HashingKeys {
  lookup: Buffer;
  signing: Buffer;
}

const derive = (key: Buffer, purpose: string) =>
  Buffer.from(hkdfSync('sha256', key, '', `gatehouse/${purpose}`, KEY_BYTES));

/** The hashing keys that older versions derived from their one encryption key. */
export const oldHashingKeys = (encryptionKey: Buffer): HashingKeys => ({
  lookup: derive(encryptionKey, 'lookup'),
  signing: derive(encryptionKey, 'signing'),
});

export function createHashing({ lookup, signing }: HashingKeys): Hashing {
  const [lookupHash, signingHash] = [createKeyedHash(lookup), createKeyedHash(signing)];
  const lookups = new QuickLRU<string, string>({ maxSize: LOOKUPS });
  return {
    lookupKey(kind, id) {
      const name = `${kind}:${id}`;
      let key = lookups.get(name);
      if (key === undefined) {
        key = lookupHash(name).slice(0, LOOKUP_CHARACTERS);
        lookups.set(name, key);
      }
      return key;
    },
    sign: (purpose, value) => signingHash(`${purpose}:${value}`),
  };
}

function decrypt(key: KeyObject, bytes: Buffer, nonceAt: number, context: string): string {
  const bodyAt = nonceAt + NONCE_BYTES;
  const tagAt = bytes.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(nonceAt, bodyAt))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(tagAt));
  const body = decipher.update(bytes.subarray(bodyAt, tagAt));
  decipher.final();
  return body.toString();
}

/** @param encryptionKeys at least 32 bytes of key material each: the first seals, all open. */
export function createSealing(encryptionKeys: Buffer[], purpose: Purpose): Sealing {
  const keys = encryptionKeys.map((key) => ({
    id: derive(key, 'key id').readUInt32BE(),
    secret: createSecretKey(derive(key, `seal/${purpose}`)),
    old: createSecretKey(derive(key, 'payload')),
  }));
  const newest = keys[0]!;
  const byId = new Map(keys.map(({ id, secret }) => [id, secret]));
  const header = Buffer.alloc(NONCE_AT, VERSION);
  header.writeUInt32BE(newest.id, 1);
  const nextNonce = createRandomBytes(NONCE_BYTES);
  let last = { context: '', bytes: Buffer.alloc(0) };

  /** Most of a purpose have the same one. */
  function bytesOf(context: string): Buffer {
    if (context !== last.context) last = { context, bytes: Buffer.from(context) };
    return last.bytes;
  }

  function openOld(bytes: Buffer, context: string): string {
    for (const { old } of keys.slice(0, -1)) {
      try {
        return decrypt(old, bytes, 1, context);
      } catch {
        // Sealed with another one.
      }
    }
    return decrypt(keys.at(-1)!.old, bytes, 1, context);
  }

  return {
    seal(plain, context) {
      const nonce = nextNonce();
      const cipher = createCipheriv('aes-256-gcm', newest.secret, nonce).setAAD(bytesOf(context));
      const body = cipher.update(plain, 'utf8');
      cipher.final();
      const tagAt = BODY_AT + body.length;
      const sealed = Buffer.allocUnsafe(tagAt + TAG_BYTES);
      sealed.set(header);
      sealed.set(nonce, NONCE_AT);
      sealed.set(body, BODY_AT);
      sealed.set(cipher.getAuthTag(), tagAt);
      return sealed;
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const old = bytes[0] === OLD_VERSION;
      const nonceAt = old ? 1 : NONCE_AT;
      if (bytes.length < nonceAt + NONCE_BYTES + TAG_BYTES || !(old || bytes[0] === VERSION))
        throw new Error('sealed value has an unknown form');
      if (old) return openOld(bytes, context);
      const secret = byId.get(bytes.readUInt32BE(1));
      if (!secret) throw new Error('sealed with a key that is not configured');
      return decrypt(secret, bytes, NONCE_AT, context);
    },
    isCurrent: (sealed) => header.equals(sealed.subarray(0, NONCE_AT)),
  };
}

/** A vault by itself, its hashing keys derived from the same key. */
export const createVault = (encryptionKey: Buffer, purpose: Purpose = 'records'): Vault => ({
  ...createHashing(oldHashingKeys(encryptionKey)),
  ...createSealing([encryptionKey], purpose),
});

const [one, other] = [Buffer.alloc(HASH_BYTES), Buffer.alloc(HASH_BYTES)];

/** Compares two strings in a time that depends on neither content nor length: hashes of them are compared. */
export function constantTimeEqual(a: string, b: string): boolean {
  one.write(hash('sha256', a, 'binary'), 'binary');
  other.write(hash('sha256', b, 'binary'), 'binary');
  return timingSafeEqual(one, other);
}
