/**
 * What `@simplewebauthn/server` does for us: reading and checking what an authenticator signed. Loaded when the first passkey is
 * used: it brings readers of certificates along, which cost a start a tenth of a second.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { invalidInput } from '../kernel/errors.ts';
import type { Passkey } from './passkey.ts';

/** Ed25519, ES256 and RS256 (COSE algorithm identifiers), in the order in which we like them. */
const ALGORITHMS = [-8, -7, -257];
/** Milliseconds that a browser waits for its person. */
const TIMEOUT = 300_000;
/** The largest answer that makes sense, in characters: a credential id of 1023 bytes and an RSA key are far below. */
const LONGEST_ANSWER = 16_000;

const base64url = z
  .string()
  .max(LONGEST_ANSWER)
  .regex(/^[\w-]+$/);
const credential = { id: base64url.max(1366), rawId: base64url.max(1366), type: z.literal('public-key') };
const registrationShape = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z
      .array(z.string().regex(/^[a-z-]{1,20}$/))
      .max(10)
      .optional()
      .catch(undefined),
  }),
});
const assertionShape = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.max(128).nullish(),
  }),
});

export type Registration = z.output<typeof registrationShape>;
export type Assertion = z.output<typeof assertionShape>;

/** Whom passkeys are for: the host of the issuer, and the one origin that may ask for them. Never what a request says. */
export interface RelyingParty {
  /** For people, as it is set now. */
  readonly name: string;
  id: string;
  origin: string;
}

/** Undefined where the issuer has no name, only an address: passkeys need a domain (Web Authentication, section 5.1.2). */
export function relyingPartyOf(issuer: string, nameNow: () => string): RelyingParty | undefined {
  const { hostname, origin } = new URL(issuer);
  const isAddress = isIP(hostname) !== 0 || hostname.startsWith('[');
  if (isAddress) return undefined;
  return {
    get name() {
      return nameNow();
    },
    id: hostname,
    origin,
  };
}

function read<T>(text: string, shape: z.ZodType<T>): T {
  if (text.length > LONGEST_ANSWER) throw invalidInput('The answer of the passkey is too long.', 'credential');
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    throw invalidInput('The answer of the passkey could not be read.', 'credential');
  }
}

const clientDataShape = z.object({ challenge: base64url, crossOrigin: z.boolean().optional() });

function clientDataOf({ response }: Registration | Assertion) {
  try {
    const text = Buffer.from(response.clientDataJSON, 'base64url').toString('utf8');
    return clientDataShape.parse(JSON.parse(text));
  } catch {
    throw invalidInput('The answer of the passkey could not be read.', 'credential');
  }
}

/** The challenge that was signed. @throws invalid_input. */
export const challengeOf = (answer: Registration | Assertion): string => clientDataOf(answer).challenge;

/** No page of ours is ever in a frame of another site; the library lets that pass where the browser does not name the site. */
function checkNotFramed(answer: Registration | Assertion): void {
  if (clientDataOf(answer).crossOrigin) throw new Error('it was asked for in a frame of another site');
}

/** @throws invalid_input when the text is not what a browser gives. */
export const readRegistration = (text: string): Registration => read(text, registrationShape);
/** @throws invalid_input when the text is not what a browser gives. */
export const readAssertion = (text: string): Assertion => read(text, assertionShape);

const library = async () => import('@simplewebauthn/server');
const helpers = async () => import('@simplewebauthn/server/helpers');

const descriptor = ({ credential_id: id, transports }: Passkey) => ({ id, transports: transports as never[] });

export interface Holder {
  id: string;
  email: string;
  name: string;
}

/** What `navigator.credentials.create` gets, as JSON (section 5.4). @param known passkeys that the person has already. */
export async function registrationOptions(rp: RelyingParty, challenge: string, holder: Holder, known: Passkey[]) {
  const { generateRegistrationOptions } = await library();
  return generateRegistrationOptions({
    rpName: rp.name,
    rpID: rp.id,
    userID: new Uint8Array(Buffer.from(holder.id, 'utf8')),
    userName: holder.email,
    userDisplayName: holder.name,
    challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
    timeout: TIMEOUT,
    attestationType: 'none',
    excludeCredentials: known.map(descriptor),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/** What `navigator.credentials.get` gets, as JSON (section 5.5). @param allowed none: whichever the person has. */
export async function assertionOptions(rp: RelyingParty, challenge: string, allowed: Passkey[]) {
  const { generateAuthenticationOptions } = await library();
  return generateAuthenticationOptions({
    rpID: rp.id,
    challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
    timeout: TIMEOUT,
    userVerification: 'required',
    allowCredentials: allowed.map(descriptor),
  });
}

/**
 * We ask for no attestation, and take none but what a browser passes on all the same: that of the key itself. Certificates are
 * not looked at: reading them, and fetching what they name, is not for anybody who can send a form.
 */
async function hasCertificates(attestationObject: string): Promise<boolean> {
  const { decodeAttestationObject } = await helpers();
  const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')));
  const format = decoded.get('fmt');
  return !(format === 'none' || (format === 'packed' && decoded.get('attStmt').get('x5c') === undefined));
}

/** What is to be kept of a new passkey. */
export type Registered = Pick<
  Passkey,
  'credential_id' | 'public_key' | 'counter' | 'transports' | 'synced' | 'backed_up' | 'aaguid'
>;

/** Section 7.1. @throws Error saying what is wrong, for the log. */
export async function verifyRegistration(
  rp: RelyingParty,
  challenge: string,
  registration: Registration,
): Promise<Registered> {
  const { verifyRegistrationResponse } = await library();
  checkNotFramed(registration);
  if (await hasCertificates(registration.response.attestationObject)) throw new Error('attestation was not asked for');
  const { transports = [], ...response } = registration.response;
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response: { ...registration, response, clientExtensionResults: {} },
    expectedChallenge: challenge,
    expectedOrigin: rp.origin,
    expectedRPID: rp.id,
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  });
  if (!verified || !registrationInfo) throw new Error('the attestation statement does not hold');
  const { credential, credentialDeviceType, credentialBackedUp, aaguid } = registrationInfo;
  if (credential.id !== registration.id) throw new Error('the credential has another id than its answer says');
  return {
    credential_id: credential.id,
    public_key: Buffer.from(credential.publicKey).toString('base64url'),
    counter: credential.counter,
    transports,
    synced: credentialDeviceType === 'multiDevice',
    backed_up: credentialBackedUp,
    aaguid,
  };
}

/** Section 7.2, all but the counter, which the store compares. @throws Error saying what is wrong, for the log. */
export async function verifyAssertion(
  rp: RelyingParty,
  challenge: string,
  passkey: Passkey,
  assertion: Assertion,
): Promise<{ counter: number; backed_up: boolean }> {
  const { verifyAuthenticationResponse } = await library();
  checkNotFramed(assertion);
  const { userHandle, ...response } = assertion.response;
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response: {
      ...assertion,
      response: { ...response, ...(userHandle ? { userHandle } : {}) },
      clientExtensionResults: {},
    },
    expectedChallenge: challenge,
    expectedOrigin: rp.origin,
    expectedRPID: rp.id,
    requireUserVerification: true,
    // With the counter in the store here the library would refuse before it has checked the signature.
    credential: {
      id: passkey.credential_id,
      publicKey: new Uint8Array(Buffer.from(passkey.public_key, 'base64url')),
      counter: 0,
    },
  });
  if (!verified) throw new Error('the signature does not hold');
  const { credentialDeviceType, credentialBackedUp, newCounter } = authenticationInfo;
  if ((credentialDeviceType === 'multiDevice') !== passkey.synced)
    throw new Error('whether the passkey may be backed up has changed');
  return { counter: newCounter, backed_up: credentialBackedUp };
}
