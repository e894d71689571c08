/**
 * What is to be done to a ring of keys now: a pure function of the ring, the time and the rules.
 *
 * The time of day can be wrong, so nothing that could break a signature rests on it alone. A key begins to sign, and one is
 * removed, only when this process has itself seen it in its state for long enough, by a clock that nobody sets.
 */
import { PUBLISHING_MARGIN } from '../kernel/publishing.ts';
import type { RotationPolicy } from './policy.ts';
import type { SigningAlgorithm, SigningKey } from './signing-key.ts';

/** Dates further ahead than this were written by a clock that was wrong. */
const TOLERATED_MS = 60_000;
/** Removed keys that are remembered, of each algorithm. */
const REMEMBERED = 10;

/** Seconds that this process has seen a key in the state it is in. */
export type SeenFor = (key: SigningKey) => number;

export interface Due {
  /** Algorithms for which a key is to be made, and when it may sign (ISO 8601). */
  make: { alg: SigningAlgorithm; state: 'next' | 'active'; signs_at: string }[];
  /** The keys that there are, as they are to be. */
  keys: SigningKey[];
  /** What is done, for the log; empty where nothing is due. */
  changes: { id: string; alg: SigningAlgorithm; change: string }[];
}

const iso = (ms: number) => new Date(ms).toISOString();
const later = (now: number, seconds: number) => iso(now + seconds * 1000);

export function retire(key: SigningKey, now: number, { retirement }: RotationPolicy): SigningKey {
  return { ...key, state: 'retiring', stopped_at: iso(now), ends_at: later(now, retirement) };
}

export const remove = (key: SigningKey, now: number, compromised = false): SigningKey => ({
  ...key,
  state: 'removed',
  sealed: null,
  stopped_at: key.stopped_at ?? iso(now),
  ends_at: iso(now),
  compromised,
});

/** The key with dates that can be: those a wrong clock put too far ahead are counted from now. */
function redated(key: SigningKey, now: number, { lead, retirement }: RotationPolicy): SigningKey {
  const ahead = (date: string | null, seconds = 0) =>
    date !== null && Date.parse(date) > now + seconds * 1000 + TOLERATED_MS;
  const created_at = ahead(key.created_at) ? iso(now) : key.created_at;
  if (key.state === 'next' && (ahead(key.created_at) || ahead(key.signs_at, lead)))
    return { ...key, created_at, signs_at: later(now, lead) };
  if (key.state === 'active' && ahead(key.signs_at)) return { ...key, created_at, signs_at: iso(now) };
  if (key.state === 'retiring' && ahead(key.ends_at, retirement)) return { ...key, ends_at: later(now, retirement) };
  return key;
}

/** What becomes of one key whose time has come; the key itself where it has not. */
function moved(key: SigningKey, now: number, policy: RotationPolicy, seenFor: SeenFor): SigningKey {
  const wanted = policy.algorithms.includes(key.alg);
  const { cache, longest } = policy;
  if (key.state === 'next') {
    if (!wanted) return remove(key, now);
    const published = seenFor(key) >= cache + PUBLISHING_MARGIN;
    return published && Date.parse(key.signs_at) <= now ? { ...key, state: 'active', signs_at: iso(now) } : key;
  }
  if (key.state === 'active' && !wanted) return retire(key, now, policy);
  if (key.state !== 'retiring') return key;
  return Date.parse(key.ends_at!) <= now && seenFor(key) >= longest ? remove(key, now) : key;
}

/** Of two active keys of one algorithm the one that began last stays. */
function onlyOneActive(before: SigningKey[], after: SigningKey[], now: number, policy: RotationPolicy): SigningKey[] {
  const begun = after.filter((key, i) => key.state === 'active' && before[i]!.state === 'next');
  return after.map((key, i) =>
    before[i]!.state === 'active' && begun.some(({ alg }) => alg === key.alg) ? retire(key, now, policy) : key,
  );
}

function forgetOldest(keys: SigningKey[]): SigningKey[] {
  const forgotten = new Set(
    Object.values(Object.groupBy(keys, ({ alg }) => alg)).flatMap((ofOne) =>
      ofOne
        .filter(({ state }) => state === 'removed')
        .toSorted((a, b) => b.ends_at!.localeCompare(a.ends_at!))
        .slice(REMEMBERED),
    ),
  );
  return keys.filter((key) => !forgotten.has(key));
}

const isActive = (keys: SigningKey[], alg: SigningAlgorithm) =>
  keys.some((key) => key.alg === alg && key.state === 'active');

/** The keys that are missing. */
function missing(keys: SigningKey[], now: number, policy: RotationPolicy): Due['make'] {
  const { algorithms, rotation, lead, cache } = policy;
  return algorithms.flatMap((alg): Due['make'] => {
    const ofAlg = keys.filter((key) => key.alg === alg);
    if (ofAlg.some(({ state }) => state === 'next')) return [];
    const active = ofAlg.find(({ state }) => state === 'active');
    // Nobody has fetched a key set yet: there is nothing to wait for.
    if (keys.length === 0) return [{ alg, state: 'active', signs_at: iso(now) }];
    // Only apps that are registered with it get signatures of an algorithm that is not the first, and without a key they get errors:
    // its very first key can make nothing worse.
    const isFirst = !algorithms.slice(0, algorithms.indexOf(alg)).some((other) => isActive(keys, other));
    if (ofAlg.length === 0 && !isFirst) return [{ alg, state: 'active', signs_at: iso(now) }];
    // Else nothing is signed with it before its key is everywhere: with the first one access tokens are signed.
    if (!active) return [{ alg, state: 'next', signs_at: later(now, cache + PUBLISHING_MARGIN) }];
    const due = rotation > 0 && Date.parse(active.signs_at) + (rotation - lead) * 1000 <= now;
    return due ? [{ alg, state: 'next', signs_at: later(now, lead) }] : [];
  });
}

/** @param now epoch milliseconds. */
export function dueNow(keys: SigningKey[], now: number, policy: RotationPolicy, seenFor: SeenFor): Due {
  const dated = keys.map((key) => redated(key, now, policy));
  const next = onlyOneActive(
    dated,
    dated.map((key) => moved(key, now, policy, seenFor)),
    now,
    policy,
  );
  const changes = next.flatMap((key, i) => {
    if (key.state !== keys[i]!.state) return [{ id: key.id, alg: key.alg, change: key.state }];
    return key === keys[i] ? [] : [{ id: key.id, alg: key.alg, change: 'dated anew' }];
  });
  return { make: missing(next, now, policy), keys: forgetOldest(next), changes };
}
