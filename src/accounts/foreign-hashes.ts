/**
 * Password hashes that other systems made, so that people who move in keep their passwords. Each is checked as its maker would,
 * and replaced by argon2id at the next sign-in. What a hash may cost is bounded: it is input of whoever wrote the file.
 */
import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import argon2 from 'argon2';

const MOST_MEMORY = 256 * 1024 * 1024;
const MOST_BCRYPT_ROUNDS = 15;
const MOST_PBKDF2_ITERATIONS = 5_000_000;
const MOST_ARGON2_PASSES = 10;
const MOST_LANES = 16;
const LONGEST = 1024;
const [SHORTEST_KEY, LONGEST_KEY] = [16, 128];

/** A hash that was understood, and how a password is held against it. */
interface ForeignHash {
  matches(password: string): Promise<boolean>;
}

/** Why a hash cannot be taken, in words that follow its field's name. */
export class UnusableHash extends Error {}

const refuse = (reason: string): never => {
  throw new UnusableHash(reason);
};

function within(value: string | undefined, most: number, what: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1) return refuse(`has no valid ${what}`);
  return number <= most ? number : refuse(`has ${what} ${number}, more than the ${most} that a sign-in may cost`);
}

/** Base64 in its usual, its URL and its passlib spelling (`.` for `+`), padded or not. */
const base64 = (text: string): Buffer => Buffer.from(text.replaceAll('.', '+'), 'base64');

/** @param derive gives as many bytes as it is asked for. */
function keyed(key: Buffer, derive: (password: string, length: number) => Promise<Buffer>): ForeignHash {
  if (key.length < SHORTEST_KEY || key.length > LONGEST_KEY) refuse(`has a key of ${key.length} bytes`);
  return { matches: async (password) => timingSafeEqual(await derive(password, key.length), key) };
}

function viaPbkdf2(digest: string, iterations: string | undefined, salt: Buffer, key: Buffer): ForeignHash {
  const count = within(iterations, MOST_PBKDF2_ITERATIONS, 'iterations');
  return keyed(key, (password, length) => promisify(pbkdf2)(password, salt, count, length, digest));
}

function viaScrypt(N: number, r: string | undefined, p: string | undefined, salt: Buffer, key: Buffer): ForeignHash {
  const [blockSize, parallelization] = [within(r, 64, 'block size'), within(p, MOST_LANES, 'parallelism')];
  if (!Number.isSafeInteger(Math.log2(N)) || N < 2) refuse('has a cost that is no power of two');
  if (128 * N * blockSize > MOST_MEMORY) refuse('needs more than the 256 MiB that a sign-in may cost');
  const options = { N, r: blockSize, p: parallelization, maxmem: 2 * MOST_MEMORY };
  return keyed(
    key,
    (password, length) =>
      new Promise((resolve, reject) => {
        scrypt(password, salt, length, options, (error, derived) => (error ? reject(error) : resolve(derived)));
      }),
  );
}

type Groups = Record<string, string | undefined>;

/** The spellings, each with how it is read. Django and Werkzeug write the salt as it is, not in Base64. */
const FORMS: [RegExp, (groups: Groups, hash: string) => ForeignHash][] = [
  [
    /^\$2[aby]\$(?<rounds>\d\d)\$[./A-Za-z0-9]{53}$/,
    ({ rounds }, hash) => {
      within(rounds, MOST_BCRYPT_ROUNDS, 'rounds');
      // `2y` is PHP's name for what others call `2b`.
      return {
        matches: async (password) => (await import('bcrypt')).default.compare(password, hash.replace('$2y$', '$2b$')),
      };
    },
  ],
  [
    // Django puts the name of the family before what is otherwise the usual form.
    /^(?:argon2)?\$argon2(?:id|i|d)\$v=\d+\$m=(?<m>\d+),t=(?<t>\d+),p=(?<p>\d+)(?:,(?:keyid|data)=[^$]*)*\$[\w+/-]+\$[\w+/-]+$/,
    ({ m, t, p }, hash) => {
      within(m, MOST_MEMORY / 1024, 'memory');
      within(t, MOST_ARGON2_PASSES, 'passes');
      within(p, MOST_LANES, 'lanes');
      return { matches: (password) => argon2.verify(hash.replace(/^argon2(?=\$)/, ''), password) };
    },
  ],
  [
    /^\$scrypt\$ln=(?<ln>\d{1,2}),r=(?<r>\d+),p=(?<p>\d+)\$(?<salt>[\w+/.-]+=*)\$(?<key>[\w+/.-]+=*)$/,
    ({ ln, r, p, salt, key }) => viaScrypt(2 ** Number(ln), r, p, base64(salt!), base64(key!)),
  ],
  [
    /^scrypt:(?<N>\d+):(?<r>\d+):(?<p>\d+)\$(?<salt>[^$]+)\$(?<key>[\da-f]+)$/,
    ({ N, r, p, salt, key }) => viaScrypt(Number(N), r, p, Buffer.from(salt!), Buffer.from(key!, 'hex')),
  ],
  [
    // PHC's form (`i=…`) and passlib's (the bare number; without a digest it means SHA-1).
    /^\$pbkdf2(?:-(?<digest>sha(?:1|256|512)))?\$(?:i=)?(?<i>\d+)(?:,l=\d+)?\$(?<salt>[\w+/.-]+=*)\$(?<key>[\w+/.-]+=*)$/,
    ({ digest = 'sha1', i, salt, key }) => viaPbkdf2(digest, i, base64(salt!), base64(key!)),
  ],
  [
    /^pbkdf2_(?<digest>sha(?:1|256|512))\$(?<i>\d+)\$(?<salt>[^$]+)\$(?<key>[\w+/]+=*)$/,
    ({ digest, i, salt, key }) => viaPbkdf2(digest!, i, Buffer.from(salt!), base64(key!)),
  ],
  [
    /^pbkdf2:(?<digest>sha(?:1|256|512)):(?<i>\d+)\$(?<salt>[^$]+)\$(?<key>[\da-f]+)$/,
    ({ digest, i, salt, key }) => viaPbkdf2(digest!, i, Buffer.from(salt!), Buffer.from(key!, 'hex')),
  ],
];

function read(hash: string): ForeignHash {
  if (hash.length <= LONGEST)
    for (const [form, understand] of FORMS) {
      const found = form.exec(hash);
      if (found) return understand(found.groups ?? {}, hash);
    }
  return refuse('is in none of the known forms (argon2, bcrypt, scrypt, PBKDF2)');
}

/** What speaks against taking `hash` over, in words that do not repeat it, or undefined. */
export function hashProblem(hash: string): string | undefined {
  try {
    read(hash);
    return undefined;
  } catch (error) {
    if (error instanceof UnusableHash) return error.message;
    throw error;
  }
}

/** Whether `password` gives `hash`, in whichever of the known forms that is. @throws UnusableHash where it is in none. */
export const matchesForeign = (password: string, hash: string): Promise<boolean> => read(hash).matches(password);
