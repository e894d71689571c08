/** A software authenticator: makes passkeys and signs with them as a phone would, and lies on request. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';

interface Stored {
  id: string;
  rpId: string;
  userHandle: string;
  key: KeyObject;
  algorithm: Algorithm;
  counter: number;
}

export type Algorithm = 'ES256' | 'RS256' | 'EdDSA';

/** What browsers get from `…/options`. */
export interface Options {
  challenge: string;
  rpId?: string;
  rp?: { id: string };
  user?: { id: string; name: string; displayName: string };
  allowCredentials?: { id: string }[];
  excludeCredentials?: { id: string }[];
  userVerification?: string;
}

/** How an answer differs from an honest one. */
export interface Lie {
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  crossOrigin?: boolean;
  userVerified?: boolean;
  userPresent?: boolean;
  userHandle?: string | null;
  counter?: number;
  /** Signs with another key than the one of the passkey. */
  foreignKey?: boolean;
  /** Says another credential id than the one of the key. */
  id?: string;
  format?: string;
  statement?: Map<string, unknown>;
}

const FLAGS = { present: 0x01, verified: 0x04, eligible: 0x08, backedUp: 0x10, attested: 0x40 };
const HASH = { ES256: 'sha256', RS256: 'sha256', EdDSA: null } as const;
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest();
const base64url = (data: Uint8Array | string) => Buffer.from(data).toString('base64url');
const bytes = (value = '') => new Uint8Array(Buffer.from(value, 'base64url'));

function generate(algorithm: Algorithm) {
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return generateKeyPairSync('ed25519');
}

/** As a COSE key (RFC 9053). */
function coseKey(key: KeyObject, algorithm: Algorithm): Uint8Array {
  const { x, y, n, e } = key.export({ format: 'jwk' });
  // In the order kty, alg, crv (or n), x (or e), y.
  const values = {
    ES256: [2, -7, 1, bytes(x), bytes(y)],
    RS256: [3, -257, bytes(n), bytes(e)],
    EdDSA: [1, -8, 6, bytes(x)],
  }[algorithm];
  return isoCBOR.encode(new Map([1, 3, -1, -2, -3].slice(0, values.length).map((name, at) => [name, values[at]!])));
}

export class Authenticator {
  readonly passkeys: Stored[] = [];
  readonly #origin: string;
  readonly #synced: boolean;
  readonly #aaguid: Buffer;

  /** @param origin of the page that asks. @param options `synced` passkeys never count their uses, like those of most phones. */
  constructor(origin: string, { synced = true, aaguid = '0'.repeat(32) }: { synced?: boolean; aaguid?: string } = {}) {
    this.#origin = new URL(origin).origin;
    this.#synced = synced;
    this.#aaguid = Buffer.from(aaguid.replaceAll('-', ''), 'hex');
  }

  #clientData(type: string, challenge: string, lie: Lie): string {
    const data = {
      type: lie.type ?? type,
      challenge: lie.challenge ?? challenge,
      origin: lie.origin ?? this.#origin,
      crossOrigin: lie.crossOrigin ?? false,
    };
    return JSON.stringify(data);
  }

  #authData(rpId: string, counter: number, lie: Lie, attested?: Buffer): Buffer {
    const flags =
      (lie.userPresent === false ? 0 : FLAGS.present) |
      (lie.userVerified === false ? 0 : FLAGS.verified) |
      (this.#synced ? FLAGS.eligible | FLAGS.backedUp : 0) |
      (attested ? FLAGS.attested : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(lie.counter ?? counter);
    return Buffer.concat([sha256(lie.rpId ?? rpId), Buffer.of(flags), count, attested ?? Buffer.alloc(0)]);
  }

  /** `navigator.credentials.create`. @returns what a browser makes of it, as JSON. */
  create(options: Options, lie: Lie = {}, algorithm: Algorithm = 'ES256'): string {
    const held = this.passkeys.some(({ id }) => options.excludeCredentials?.some((one) => one.id === id));
    if (held) throw new Error('InvalidStateError: there is a passkey of this account here already');
    const { publicKey, privateKey: key } = generate(algorithm);
    const rawId =
      lie.id === undefined ? Buffer.concat([Buffer.of(0), randomBytes(15)]) : Buffer.from(lie.id, 'base64url');
    const id = base64url(rawId);
    const rpId = options.rp!.id;
    this.passkeys.push({ id, rpId, userHandle: options.user!.id, key, algorithm, counter: 0 });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(rawId.length);
    const attested = Buffer.concat([this.#aaguid, length, rawId, coseKey(publicKey, algorithm)]);
    const attestation = new Map<string, unknown>([
      ['fmt', lie.format ?? 'none'],
      ['attStmt', lie.statement ?? new Map()],
      ['authData', new Uint8Array(this.#authData(rpId, 0, lie, attested))],
    ]);
    return JSON.stringify({
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: base64url(this.#clientData('webauthn.create', options.challenge, lie)),
        attestationObject: base64url(isoCBOR.encode(attestation as never)),
        transports: ['internal', 'hybrid'],
      },
    });
  }

  /** `navigator.credentials.get`, with the newest passkey that fits. */
  get(options: Options, lie: Lie = {}): string {
    const passkey = this.passkeys.findLast(
      ({ id, rpId }) =>
        rpId === options.rpId &&
        (!options.allowCredentials?.length || options.allowCredentials.some((one) => one.id === id)),
    );
    if (!passkey) throw new Error('NotAllowedError: no passkey here fits');
    if (!this.#synced) passkey.counter += 1;
    const clientData = this.#clientData('webauthn.get', options.challenge, lie);
    const authData = this.#authData(passkey.rpId, passkey.counter, lie);
    const key = lie.foreignKey ? generate(passkey.algorithm).privateKey : passkey.key;
    const id = lie.id ?? passkey.id;
    const userHandle = lie.userHandle === undefined ? passkey.userHandle : lie.userHandle;
    return JSON.stringify({
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: base64url(clientData),
        authenticatorData: base64url(authData),
        signature: base64url(sign(HASH[passkey.algorithm], Buffer.concat([authData, sha256(clientData)]), key)),
        ...(userHandle === null ? {} : { userHandle }),
      },
    });
  }
}
