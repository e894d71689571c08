/**
 * argon2id in a process of its own. It yields to all others: with as many runnable threads as cores, whoever asks for a token would
 * wait for the rest of a slice of somebody's hash, and those who sign in would wait hardly less. And its memory comes in huge
 * pages, which the C library asks for only where the environment said so when the process began: of 46 MiB in small ones
 * near half the time goes to the kernel, which keeps the other threads of the same process waiting as well.
 */
import { fork } from 'node:child_process';
import * as crypto from 'node:crypto';

const PROGRAM = new URL('./hashing-child.js', import.meta.url);
/** Without work for so long it ends, and gives its 11 MB back. Where it broke, it is done without for as long. */
const REST_MS = 60_000;
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

type Derive = (parameters: Parameters) => Promise<Buffer>;

/** Before 24.7 Node has no argon2. */
export const canHashApart = 'argon2' in crypto;

let running: Derive | undefined;
/** By the clock of the process: before, none is begun. */
let brokenUntil = 0;

/** Starts the process. It keeps ours alive while an answer is owed. @throws Error where there is none to be had. */
function start(): Derive {
  const child = fork(PROGRAM, {
    execArgv: [],
    // Nothing else of our environment is passed on: there are secrets in it.
    env: {
      GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
      UV_THREADPOOL_SIZE: process.env['UV_THREADPOOL_SIZE'] ?? '4',
    },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const asked = new Map<number, PromiseWithResolvers<Buffer>>();
  let count = 0;
  let rest: NodeJS.Timeout | undefined;

  const end = () => {
    if (running === ask) running = undefined;
    clearTimeout(rest);
    if (child.connected) child.disconnect();
    if (asked.size > 0) brokenUntil = performance.now() + REST_MS;
    for (const { reject } of asked.values()) reject(new Error('the process that hashes has ended'));
    asked.clear();
  };
  const settle = ({ id, tag, error }: { id: number; tag?: Uint8Array; error?: string }) => {
    const answer = asked.get(id); // of one that was given up there may still be one
    asked.delete(id);
    if (tag) answer?.resolve(Buffer.from(tag));
    else answer?.reject(new Error(error));
    if (asked.size > 0 || !child.connected) return;
    child.channel?.unref();
    rest = setTimeout(end, REST_MS).unref();
  };
  const ask: Derive = (parameters) => {
    clearTimeout(rest);
    const id = (count += 1);
    const answer = Promise.withResolvers<Buffer>();
    asked.set(id, answer);
    child.channel?.ref();
    child.send({ id, parameters });
    return answer.promise;
  };

  child.unref();
  // Hanging up is told first, and is the last that keeps us alive.
  for (const event of ['error', 'disconnect', 'exit']) child.on(event, end);
  child.on('message', settle);
  if (child.pid === undefined) {
    brokenUntil = performance.now() + REST_MS;
    throw new Error('no process that hashes is to be had');
  }
  return ask;
}

async function derive(parameters: Parameters): Promise<Buffer> {
  if (running === undefined && performance.now() < brokenUntil)
    throw new Error('the process that hashes broke just now');
  running ??= start();
  return running(parameters);
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');

/** @returns the hash in PHC form, of one lane. @throws Error where no process is to be had. */
export async function hashApart(password: string, { memory_kib, iterations }: Cost): Promise<string> {
  const nonce = crypto.randomBytes(SALT_BYTES);
  const message = Buffer.from(password);
  const cost = { memory: memory_kib, passes: iterations, parallelism: 1, tagLength: TAG_BYTES } as const;
  const tag = await derive({ message, nonce, ...cost });
  return `$argon2id$v=19$m=${memory_kib},p=1,t=${iterations}$${base64(nonce)}$${base64(tag)}`;
}

/** @returns undefined for a hash that is not argon2id of one lane. @throws Error where no process is to be had. */
export async function verifyApart(password: string, hash: string): Promise<boolean | undefined> {
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
