/**
 * The keys that ids are hashed with. They lie in the store, sealed: an encryption key can be replaced, but what was hashed, codes
 * of recovery and names of tokens, cannot be hashed anew.
 */
import { randomBytes } from 'node:crypto';
import { invalidInput } from '../kernel/errors.ts';
import { createSealing, oldHashingKeys } from '../kernel/secrets.ts';
import type { HashingKeys, Sealing } from '../kernel/secrets.ts';
import type { KeyRingStore } from './store.ts';

const CONTEXT = 'hashing keys';
const KEY_BYTES = 32;

interface Needs {
  store: KeyRingStore;
  /** The first seals, all open. */
  encryptionKeys: Buffer[];
}

const wrongKey = () =>
  invalidInput(
    'The signing keys in the store cannot be decrypted: secrets.encryption_key is not the one they were stored with.',
    'secrets.encryption_key',
  );

/** The encryption key that an older version has used this store with derives its hashing keys. */
async function firstKeys({ store, encryptionKeys }: Needs): Promise<HashingKeys> {
  const [old] = await store.listOld();
  if (!old) return { lookup: randomBytes(KEY_BYTES), signing: randomBytes(KEY_BYTES) };
  for (const key of encryptionKeys) {
    try {
      createSealing([key], 'keys').open(old.sealed, `signing-key:${old.id}`);
      return oldHashingKeys(key);
    } catch {
      // Not the one.
    }
  }
  throw wrongKey();
}

function toDocument({ lookup, signing }: HashingKeys, sealing: Sealing): string {
  const plain = JSON.stringify({ lookup: lookup.toString('base64'), signing: signing.toString('base64') });
  return JSON.stringify({ sealed: sealing.seal(plain, CONTEXT).toString('base64') });
}

const sealedIn = (document: string) => Buffer.from((JSON.parse(document) as { sealed: string }).sealed, 'base64');

function fromDocument(document: string, sealing: Sealing): HashingKeys {
  let plain: string;
  try {
    plain = sealing.open(sealedIn(document), CONTEXT);
  } catch {
    throw wrongKey();
  }
  const { lookup, signing } = JSON.parse(plain) as Record<keyof HashingKeys, string>;
  return { lookup: Buffer.from(lookup, 'base64'), signing: Buffer.from(signing, 'base64') };
}

/** The hashing keys of this store, made on first use. @throws invalid_input when no encryption key opens them. */
export async function loadHashingKeys(needs: Needs): Promise<HashingKeys> {
  const { store, encryptionKeys } = needs;
  const sealing = createSealing(encryptionKeys, 'keys');
  const kept = await store.read('hashing');
  if (kept) return fromDocument(kept.document, sealing);
  const first = await firstKeys(needs);
  if (await store.swap('hashing', toDocument(first, sealing), 0)) return first;
  return fromDocument((await store.read('hashing'))!.document, sealing);
}

/** Seals them with the newest encryption key. @returns how many documents that changed: 1 or 0. */
export async function resealHashingKeys({ store, encryptionKeys }: Needs): Promise<number> {
  const sealing = createSealing(encryptionKeys, 'keys');
  const kept = await store.read('hashing');
  if (!kept || sealing.isCurrent(sealedIn(kept.document))) return 0;
  const document = toDocument(fromDocument(kept.document, sealing), sealing);
  return (await store.swap('hashing', document, kept.version)) ? 1 : 0;
}
