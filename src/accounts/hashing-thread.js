/** A thread of `hashing-threads.ts`. JavaScript: a thread that loads TypeScript takes 15 MB for it. */
import { argon2Sync } from 'node:crypto';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';

try {
  setPriority(workerData.niceness); // on Linux this is about the calling thread alone
} catch {
  // In a sandbox that forbids it the thread hashes like any other.
}

parentPort.on('message', (parameters) => parentPort.postMessage(argon2Sync('argon2id', parameters)));
