/**
 * argon2id with a bound on how many hashes run at once, so that they starve neither the event loop (one core stays free) nor
 * the signatures of tokens, which share the libuv pool with them where no process of their own is to be had (two of its stay free).
 */
import { availableParallelism } from 'node:os';
import argon2 from 'argon2';
import PQueue from 'p-queue';
import { busy } from '../kernel/errors.ts';
import { matchesForeign } from './foreign-hashes.ts';
import { canHashApart, hashApart, verifyApart } from './hashing-process.ts';
import { PASSWORD_MAX, passwordLength } from './password-policy.ts';

const DEFAULT_POOL = 4;
const FREE_FOR_SIGNING = 2;

const isOurs = (hash: string): boolean => hash.startsWith('$argon2id$');

export interface HashCost {
  memory_kib: number;
  iterations: number;
  parallelism: number;
  /** How many may wait; more are refused. */
  queue: number;
}

export interface PasswordHasher {
  /** @returns the hash in PHC form. @throws busy when too many wait. */
  hash(password: string): Promise<string>;
  /**
   * Whether `password` gives `hash`. Without a hash it works as long and answers false, so that nobody learns from the time
   * whether an account exists. An overlong password is refused before any work. @throws busy when too many wait.
   */
  verify(password: string, hash: string | null): Promise<boolean>;
  /** Whether `hash` was made at another cost than today's, or in another way. */
  needsRehash(hash: string): boolean;
}

export function createPasswordHasher({ memory_kib, iterations, parallelism, queue: most }: HashCost): PasswordHasher {
  const pool = Number(process.env['UV_THREADPOOL_SIZE']) || DEFAULT_POOL;
  const queue = new PQueue({ concurrency: Math.max(1, Math.min(availableParallelism() - 1, pool - FREE_FOR_SIGNING)) });
  const options = { type: argon2.argon2id, memoryCost: memory_kib, timeCost: iterations, parallelism } as const;
  let dummy: Promise<string> | undefined;

  // A process can be refused, as by a limit on a container, or killed: then it is our own pool, as elsewhere.
  const hashNow = (password: string): Promise<string> => {
    const onPool = () => argon2.hash(password, options);
    return canHashApart && parallelism === 1 ? hashApart(password, { memory_kib, iterations }).catch(onPool) : onPool();
  };
  const verifyNow = async (password: string, hash: string): Promise<boolean> => {
    const apart = canHashApart ? await verifyApart(password, hash).catch(() => undefined) : undefined;
    return apart ?? argon2.verify(hash, password);
  };
  const dummyHash = () => {
    dummy ??= hashNow('no account has this password').catch((error: unknown) => {
      dummy = undefined;
      throw error;
    });
    return dummy;
  };

  const run = <T>(work: () => Promise<T>): Promise<T> => {
    if (queue.size >= most) throw busy('Too many people sign in at this moment.');
    return queue.add(work);
  };

  return {
    hash: async (password) => run(() => hashNow(password)),
    async verify(password, hash) {
      if (passwordLength(password) > PASSWORD_MAX) return false;
      const against = hash ?? (await dummyHash());
      const matches = await run(() =>
        isOurs(against) ? verifyNow(password, against) : matchesForeign(password, against),
      );
      return matches && hash !== null;
    },
    needsRehash: (hash) => !isOurs(hash) || argon2.needsRehash(hash, options),
  };
}
