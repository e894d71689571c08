/** What an upstream says, cut to what we keep. It comes from outside: every value may be of any type and any length. */
import { UpstreamError } from './connector.ts';
import type { Assertion } from './connector.ts';
import type { UpstreamIdentity } from './identity.ts';

const SUBJECT_MAX = 255;
const EMAIL_MAX = 254;
const NAME_MAX = 200;
const URL_MAX = 2000;
const WORD = /^[\x21-\x7e]{1,100}$/;
const MOST_WORDS = 10;

// eslint-disable-next-line no-control-regex -- names are shown and mailed
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;

function nameOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const name = value
    .slice(0, 10 * NAME_MAX)
    .normalize('NFC')
    .replace(CONTROL, ' ')
    .trim();
  let cut = '';
  // Not in the middle of a character.
  for (const character of name) if (cut.length + character.length <= NAME_MAX) cut += character;
  return cut.trim() || null;
}

function emailOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > EMAIL_MAX) return null;
  const email = value.trim();
  return email.includes('@') ? email : null;
}

function pictureOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > URL_MAX) return null;
  const url = URL.parse(value);
  return url?.protocol === 'https:' ? url.href : null;
}

const isWord = (value: unknown): value is string => typeof value === 'string' && WORD.test(value);

/** @throws UpstreamError where the subject is not one. */
export function toIdentity(
  assertion: Assertion,
  { provider, trust_email, trust_amr }: { provider: string; trust_email: boolean; trust_amr: boolean },
): UpstreamIdentity {
  const { issuer, subject, amr, acr, auth_time } = assertion;
  if (typeof subject !== 'string' || subject === '' || subject.length > SUBJECT_MAX)
    throw new UpstreamError('refused', 'sub');
  const email = emailOf(assertion.email);
  const words = trust_amr && Array.isArray(amr) ? amr.filter(isWord).slice(0, MOST_WORDS) : [];
  return {
    provider,
    issuer,
    subject,
    email,
    email_verified: trust_email && email !== null && assertion.email_verified,
    name: nameOf(assertion.name),
    picture: pictureOf(assertion.picture),
    ...(words.length > 0 ? { amr: words } : {}),
    ...(trust_amr && isWord(acr) ? { acr } : {}),
    ...(Number.isSafeInteger(auth_time) ? { auth_time: auth_time as number } : {}),
  };
}
