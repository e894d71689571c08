/**
 * argon2id on threads that yield to all others: with as many runnable threads as cores, whoever asks for a token would wait for the
 * rest of a slice of somebody's hash, and those who sign in would wait hardly less. The pool that the `argon2` package
 * hashes on cannot yield, as signatures are made there too.
 */
import * as crypto from 'node:crypto';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Of one core a thread that is so much nicer than another gets a fifteenth, and beside one of the pool a seventh. */
const NICER_BY = 12;
const NICEST = 19;
const TAG_BYTES = 32;
const SALT_BYTES = 16;
const FORM = /^\$argon2id\$v=19\$([mtp=\d,]+)\$([\w+/]+)\$([\w+/]+)$/;

interface Cost {
  memory_kib: number;
  iterations: number;
}

interface Parameters {
  message: Uint8Array;
  nonce: Uint8Array;
  memory: number;
  passes: number;
  parallelism: 1;
  tagLength: number;
}

/** Elsewhere than on Linux a thread has no priority of its own, and before 24.7 Node has no argon2. */
export const canYield = process.platform === 'linux' && 'argon2Sync' in crypto;

const idle: Worker[] = [];

function start(): Worker {
  return new Worker(new URL('./hashing-thread.js', import.meta.url), {
    name: 'hashing',
    workerData: { niceness: Math.min(NICEST, getPriority() + NICER_BY) },
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
}

/** One at a time on each thread. A thread that is idle keeps no process alive. */
function derive(parameters: Parameters): Promise<Buffer> {
  const thread = idle.pop() ?? start();
  thread.ref();
  thread.postMessage(parameters);
  return new Promise((resolve, reject) => {
    thread.once('message', (tag: Uint8Array) => {
      for (const event of ['error', 'exit']) thread.removeAllListeners(event);
      thread.unref();
      idle.push(thread);
      resolve(Buffer.from(tag));
    });
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('a thread that hashed has ended')));
  });
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');

/** @returns the hash in PHC form, of one lane. @throws Error where there are no threads to be had. */
export async function hashYielding(password: string, { memory_kib, iterations }: Cost): Promise<string> {
  const nonce = crypto.randomBytes(SALT_BYTES);
  const message = Buffer.from(password);
  const cost = { memory: memory_kib, passes: iterations, parallelism: 1, tagLength: TAG_BYTES } as const;
  const tag = await derive({ message, nonce, ...cost });
  return `$argon2id$v=19$m=${memory_kib},p=1,t=${iterations}$${base64(nonce)}$${base64(tag)}`;
}

/** @returns undefined for a hash that is not argon2id of one lane. @throws Error where there are no threads to be had. */
export async function verifyYielding(password: string, hash: string): Promise<boolean | undefined> {
  const [, words = '', salt, tag] = FORM.exec(hash) ?? [];
  const cost = new URLSearchParams(words.replaceAll(',', '&'));
  if (tag === undefined || cost.get('p') !== '1') return undefined;
  const expected = Buffer.from(tag, 'base64');
  const given = await derive({
    message: Buffer.from(password),
    nonce: Buffer.from(salt!, 'base64'),
    memory: Number(cost.get('m')),
    passes: Number(cost.get('t')),
    parallelism: 1,
    tagLength: expected.length,
  });
  return crypto.timingSafeEqual(given, expected);
}
