/** The thread of `checkpoints.ts`. JavaScript: a thread that loads TypeScript takes 15 MB for it. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const TRIES = 20;
const BETWEEN_MS = 1;

const database = new DatabaseSync(workerData.file, { timeout: 0 });
const pause = new Int32Array(new SharedArrayBuffer(4));
// It never waits for those who read or write, and copies what they do not need. What is copied is synced before the log is used anew.
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
// The rest, while nobody else may write: a log that is never copied whole only grows. Where somebody writes, or still reads what is
// older, it says that it was busy and holds up nobody.
const finish = database.prepare('PRAGMA wal_checkpoint(FULL)');

const work = {
  'copy most'() {
    checkpoint.get();
    return 'most is copied';
  },
  'copy the rest'() {
    for (let tries = 0; tries < TRIES && finish.get().busy; tries += 1) Atomics.wait(pause, 0, 0, BETWEEN_MS);
    return 'done';
  },
};

parentPort.on('message', (message) => {
  if (message === 'end') {
    database.close();
    parentPort.close();
    return;
  }
  try {
    parentPort.postMessage(work[message]());
  } catch {
    // Another process is at it.
    parentPort.postMessage('done');
  }
});
