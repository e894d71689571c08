/**
 * The secrets of a client: two at most, so that one can be replaced while the app still uses the other. The newest stands where
 * older records have their only one; what is told of a secret is when it was made, when it ends, and its last four characters.
 */
import { conflict, invalidInput, notFound } from '../kernel/errors.ts';
import { isoNow } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Client } from './client.ts';

/** What is told of a secret. */
export interface SecretFacts {
  /** Unique within its client. */
  id: string;
  /** Null of a secret that an older version made. */
  last_four: string | null;
  created_at: string;
  /** From then on it is refused; null never. */
  expires_at: string | null;
}

/** How a secret rests: as its hash, or encrypted where the method of authentication needs it in plain. */
export interface KeptSecret extends SecretFacts {
  hash: string | null;
  sealed: string | null;
}

/** Seconds that the secret before goes on working after a rotation, unless said otherwise. */
export const SECRET_OVERLAP = 86_400;
/** Seconds. */
const LONGEST_OVERLAP = 90 * 86_400;
const LEAST_LIFE = 60;
const LONGEST_LIFE = 5 * 366 * 86_400;
const MOST_LIVE = 2;
const SHOWN = 4;
/** Of the one secret of a record that says nothing about it. */
const FIRST_ID = 'sec_first';

type Holder = Pick<Client, 'secret_hash' | 'secret_sealed' | 'secret_facts' | 'earlier_secret' | 'created_at'>;

/** All that are kept, the newest first; some may be over. */
export function secretsOf(client: Holder): KeptSecret[] {
  const { secret_hash: hash, secret_sealed, earlier_secret: earlier } = client;
  const sealed = secret_sealed ?? null;
  const facts = client.secret_facts ?? {
    id: FIRST_ID,
    last_four: null,
    created_at: client.created_at,
    expires_at: null,
  };
  return [...(hash === null && sealed === null ? [] : [{ ...facts, hash, sealed }]), ...(earlier ? [earlier] : [])];
}

export const isLive = ({ expires_at }: Pick<SecretFacts, 'expires_at'>, now = Date.now()): boolean =>
  expires_at === null || Date.parse(expires_at) > now;

/** Those that are accepted now. */
export const liveSecretsOf = (client: Holder): KeptSecret[] => secretsOf(client).filter((one) => isLive(one));

/** The fields of a record that keep them. */
export function keeping([newest, earlier]: KeptSecret[]) {
  if (!newest) return { secret_hash: null, secret_sealed: null, secret_facts: null, earlier_secret: null };
  const { hash, sealed, ...facts } = newest;
  return {
    secret_hash: hash,
    secret_sealed: sealed,
    secret_facts: facts,
    earlier_secret: earlier ?? null,
  };
}

/** What may be told of them. */
export const factsOf = (client: Holder): SecretFacts[] =>
  liveSecretsOf(client).map(({ id, last_four, created_at, expires_at }) => ({ id, last_four, created_at, expires_at }));

/** The soonest end of a secret that has one. */
export const secretExpiryOf = (client: Holder): string | undefined =>
  liveSecretsOf(client)
    .flatMap(({ expires_at }) => expires_at ?? [])
    .sort()[0];

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

function within(seconds: number, least: number, most: number, field: string): number {
  if (!Number.isInteger(seconds) || seconds < least || seconds > most)
    throw invalidInput(`${field} must be ${least} to ${most} seconds`, field);
  return seconds;
}

/** @param expiresIn seconds; undefined never ends. @throws invalid_input. */
export function madeSecret(secret: string, kept: Pick<KeptSecret, 'hash' | 'sealed'>, expiresIn?: number): KeptSecret {
  const life = expiresIn === undefined ? undefined : within(expiresIn, LEAST_LIFE, LONGEST_LIFE, 'expires_in');
  return {
    ...kept,
    id: newId('sec_'),
    last_four: secret.slice(-SHOWN),
    created_at: isoNow(),
    expires_at: life === undefined ? null : inSeconds(life),
  };
}

/** With one more. @throws conflict where two are in force. */
export function withOneMore(client: Client, made: KeptSecret): KeptSecret[] {
  const live = liveSecretsOf(client);
  if (live.length >= MOST_LIVE)
    throw conflict(`${client.id} has ${MOST_LIVE} secrets that are in force: revoke one first`);
  return [made, ...live];
}

/** With another in the place of the newest, which goes on for `overlap` seconds; an older one goes. @throws invalid_input. */
export function rotated(client: Client, made: KeptSecret, overlap = SECRET_OVERLAP): KeptSecret[] {
  const end = inSeconds(within(overlap, 0, LONGEST_OVERLAP, 'overlap'));
  const [newest] = liveSecretsOf(client);
  if (!newest || overlap === 0) return [made];
  const { expires_at } = newest;
  return [made, { ...newest, expires_at: expires_at !== null && expires_at < end ? expires_at : end }];
}

/** Without one. @throws not_found. */
export function without(client: Client, id: string): KeptSecret[] {
  const all = secretsOf(client);
  if (!all.some((one) => one.id === id)) throw notFound(`${client.id} has no secret ${id}`);
  return all.filter((one) => one.id !== id && isLive(one));
}
