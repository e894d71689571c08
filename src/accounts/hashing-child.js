/** The program of `hashing-process.ts`. JavaScript: a process that loads TypeScript takes 15 MB for it. */
import { argon2 } from 'node:crypto';
import { getPriority, setPriority } from 'node:os';
import process from 'node:process';

/** Of one core a process that is so much nicer than another gets a fifteenth. */
const NICER_BY = 12;
const NICEST = 19;

try {
  setPriority(Math.min(NICEST, getPriority() + NICER_BY)); // what the threads of its pool begin with
} catch {
  // In a sandbox that forbids it the process hashes like any other.
}

// Who asked says when it is over, by hanging up: a Ctrl-C reaches this process too, while answers are still owed.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

process.on('message', ({ id, parameters }) => {
  // Who asked may have gone meanwhile.
  const answer = (error, tag) => process.send?.({ id, tag, error: error?.message }, () => undefined);
  try {
    argon2('argon2id', parameters, answer);
  } catch (error) {
    answer(error);
  }
});
