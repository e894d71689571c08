/** The signing keys for people: what each does now, what comes next and when, and who has fetched the key set since. */
import type { KeySetFetches } from './fetches.ts';
import type { RotationPolicy } from './policy.ts';
import type { Rotation } from './rotation.ts';
import type { KeyState, SigningKey } from './signing-key.ts';
import type { KeySetFetch } from './store.ts';

export interface KeyOverview extends Pick<SigningKey, 'id' | 'alg' | 'state' | 'held' | 'created_at' | 'compromised'> {
  /** Since when it is in its state. */
  since: string;
  /** The state it comes to next, and when at the earliest; null where nothing is planned. */
  next_state: KeyState | null;
  next_change_at: string | null;
}

export interface KeysOverview {
  keys: KeyOverview[];
  /** The first date from which `fetched` counts: when the newest unused key was published, else what is remembered at all. */
  fetched_since: string | null;
  fetched: (Pick<KeySetFetch, 'address' | 'user_agent' | 'fetches'> & { last_at: string })[];
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const FOLLOWING: Record<KeyState, KeyState | null> = {
  next: 'active',
  active: 'retiring',
  retiring: 'removed',
  removed: null,
};
const ORDER: KeyState[] = ['active', 'next', 'retiring', 'removed'];

function since({ state, created_at, signs_at, stopped_at, ends_at }: SigningKey): string {
  if (state === 'next') return created_at;
  return (state === 'active' ? signs_at : state === 'retiring' ? stopped_at : ends_at) ?? created_at;
}

/** When an active key makes way: as the one that follows says, or by its age. */
function makesWay(key: SigningKey, keys: SigningKey[], { rotation, lead }: RotationPolicy): string | null {
  const heir = keys.find(({ alg, state }) => alg === key.alg && state === 'next');
  if (heir) return heir.signs_at;
  if (rotation === 0) return null;
  const byAge = Date.parse(key.signs_at) + rotation * 1000;
  return new Date(Math.max(byAge, Date.now() + lead * 1000)).toISOString();
}

function changeOf(key: SigningKey, keys: SigningKey[], policy: RotationPolicy): string | null {
  if (key.state === 'next') return key.signs_at;
  if (key.state === 'retiring') return key.ends_at;
  return key.state === 'active' ? makesWay(key, keys, policy) : null;
}

interface Needs {
  rotation: Pick<Rotation, 'read'>;
  fetches: Pick<KeySetFetches, 'since'>;
  policy: RotationPolicy;
}

export async function keysOverview({ rotation, fetches, policy }: Needs): Promise<KeysOverview> {
  const { keys } = await rotation.read();
  const published = keys.filter(({ state }) => state === 'next').map(({ created_at }) => created_at);
  const from = published.toSorted().at(-1) ?? null;
  const fetched = await fetches.since(new Date(from ?? 0));
  const shown = keys.map((key): KeyOverview => {
    const { id, alg, state, held, created_at, compromised } = key;
    const next_change_at = changeOf(key, keys, policy);
    const next_state = next_change_at === null ? null : FOLLOWING[state];
    return { id, alg, state, held, created_at, compromised, since: since(key), next_state, next_change_at };
  });
  return {
    keys: shown.toSorted(
      (a, b) =>
        policy.algorithms.indexOf(a.alg) - policy.algorithms.indexOf(b.alg) ||
        ORDER.indexOf(a.state) - ORDER.indexOf(b.state) ||
        b.created_at.localeCompare(a.created_at),
    ),
    fetched_since: from,
    fetched: fetched.map(({ address, user_agent, last_at, fetches: count }) => ({
      address,
      user_agent,
      last_at: iso(last_at),
      fetches: count,
    })),
  };
}
