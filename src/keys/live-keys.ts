/**
 * The signing keys as this process knows them: never older than a second when something is signed. A process that slept, or whose
 * clock was set, looks at the store again before it does anything with a key.
 */
import { unavailable } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { KeyMaker, Sign } from './making.ts';
import type { RotationPolicy } from './policy.ts';
import type { Rotation } from './rotation.ts';
import type { SigningKey } from './signing-key.ts';
import type { SeenFor } from './steps.ts';
import type { KeyRingStore } from './store.ts';

const POLL_MS = 500;
/** A view of the store that is older than this is not acted upon. */
const FRESH_MS = 1000;
/** How often is looked whether something is due: often enough that a rotation keeps its time, and not by all at the same moment. */
const CHECKS_PER_LEAD = 40;
const CHECK_MOST_MS = 60_000;
const CHECK_LEAST_MS = 100;

export interface LiveKeys {
  /** All but the removed ones. */
  keys(): SigningKey[];
  /** Whether the store was seen within the last second, by every clock there is. */
  fresh(): boolean;
  /** Looks at the store. @throws unavailable. */
  refresh(): Promise<void>;
  /** Looks at the store, as it is now or later, however fresh the last look is. @throws unavailable. */
  latest(): Promise<void>;
  /**
   * Signs with one key, if that may still sign.
   * @throws unavailable when it may not, as it was removed meanwhile, or when the store cannot say so.
   */
  sign(id: string, data: Uint8Array): Promise<Uint8Array>;
  /** Does what is due now. @returns whether this process did something. */
  check(): Promise<boolean>;
  /** Calls `follow` whenever the keys have changed; what it makes is in place before anything is signed with them. */
  onChange(follow: (keys: SigningKey[]) => void): void;
  /** Begins to watch and to rotate. @returns what stops both. */
  start(): () => void;
}

interface Needs {
  store: KeyRingStore;
  rotation: Rotation;
  maker: KeyMaker;
  policy: RotationPolicy;
  log: Logger;
}

interface Instant {
  /** Milliseconds of a clock that nobody sets. */
  steady: number;
  /** Milliseconds of the time of day. */
  day: number;
}

const instant = (): Instant => ({ steady: performance.now(), day: Date.now() });

/** By the clock that says more: one stands still while the machine sleeps, the other can be set. */
const olderThan = ({ steady, day }: Instant, ms: number): boolean =>
  performance.now() - steady > ms || Math.abs(Date.now() - day) > ms;

/** @throws invalid_input when the keys in the store cannot be opened. */
export async function createLiveKeys({ store, rotation, maker, policy, log }: Needs): Promise<LiveKeys> {
  let version = 0;
  let keys: SigningKey[] = [];
  let confirmed: Instant = { steady: -Infinity, day: 0 };
  let opened = new Map<string, Sign>();
  let seen = new Map<string, number>();
  let looking: Promise<void> | undefined;
  const followers: ((keys: SigningKey[]) => void)[] = [];

  const place = ({ id, state }: SigningKey) => `${id} ${state}`;
  const seenFor: SeenFor = (key) => (performance.now() - (seen.get(place(key)) ?? performance.now())) / 1000;

  /** Every key that may sign, ready to do so. */
  async function open(next: SigningKey[]): Promise<Map<string, Sign>> {
    const entries = next
      .filter((key) => key.state === 'active' || (key.state === 'retiring' && opened.has(key.id)))
      .map(async (key) => [key.id, opened.get(key.id) ?? (await maker.open(key))] as const);
    return new Map(await Promise.all(entries));
  }

  async function look(): Promise<void> {
    const began = instant();
    if ((await store.version('signing')) !== version || version === 0) {
      const ring = await rotation.read();
      const next = ring.keys.filter(({ state }) => state !== 'removed');
      const ready = await open(next);
      const changed = JSON.stringify(next.map(place)) !== JSON.stringify(keys.map(place));
      const steady = performance.now();
      if (changed) for (const follow of followers) follow(next);
      seen = new Map(next.map((key) => [place(key), seen.get(place(key)) ?? steady]));
      opened = ready;
      ({ version } = ring);
      keys = next;
    }
    confirmed = began;
  }

  function refresh(): Promise<void> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  /** One that is under way may have read already. */
  async function latest(): Promise<void> {
    await looking?.catch(() => undefined);
    await refresh();
  }

  const fresh = () => !olderThan(confirmed, FRESH_MS);

  /** One look may have begun long ago, by a process that has slept since; the next one has not. */
  async function catchUp(): Promise<void> {
    if (!fresh()) await refresh();
    if (!fresh()) await refresh();
  }

  function maySign({ state, ends_at }: SigningKey): boolean {
    if (state === 'active') return true;
    // A request that began when it was active ends with it, if what it signs now has expired before it goes.
    return state === 'retiring' && Date.parse(ends_at!) - policy.longest * 1000 > Date.now();
  }

  async function check(): Promise<boolean> {
    await catchUp();
    const changed = await rotation.check(seenFor);
    if (changed) await refresh();
    return changed;
  }

  const usually = Math.min(CHECK_MOST_MS, Math.max(CHECK_LEAST_MS, (policy.lead * 1000) / CHECKS_PER_LEAD));
  const soon = () => usually * (0.5 + Math.random());

  // Of processes that start at once on an empty store one makes the first keys.
  if ((await store.version('signing')) === 0) await rotation.check(seenFor);
  // An algorithm that the configuration has since this start gets its key.
  else
    await rotation.check(seenFor).catch((err: unknown) => log.warn({ err }, 'the key rotation could not be checked'));
  await refresh();

  return {
    keys: () => keys,
    fresh,
    refresh: catchUp,
    latest,
    check,
    async sign(id, data) {
      await catchUp();
      const key = keys.find((one) => one.id === id);
      const sign = opened.get(id);
      if (!key || !sign || !maySign(key)) throw unavailable(`The signing key ${id} is no longer in force.`);
      return sign(data);
    },
    onChange: (follow) => void followers.push(follow),
    start() {
      let failing = false;
      let stopped = false;
      const noted = async (what: string, work: () => Promise<unknown>) => {
        try {
          await work();
          failing = false;
        } catch (error) {
          if (!failing && !stopped) log.warn({ err: error }, what);
          failing = true;
        }
      };
      const polling = setInterval(() => void noted('the signing keys cannot be followed', refresh), POLL_MS).unref();
      let checking: NodeJS.Timeout;
      const checkLater = () => {
        if (stopped) return;
        checking = setTimeout(() => {
          void noted('the key rotation could not be checked', check).then(checkLater);
        }, soon()).unref();
      };
      checkLater();
      return () => {
        stopped = true;
        clearInterval(polling);
        clearTimeout(checking);
      };
    },
  };
}
