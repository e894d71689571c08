/** The thread of `checkpoints.ts`. JavaScript: a thread that loads TypeScript takes 15 MB for it. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const database = new DatabaseSync(workerData.file, { timeout: 0 });
// It never waits for those who read or write, and copies what they do not need. What is copied is synced before the log is used anew.
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
// The rest, while nobody else may write: a log that is never copied whole only grows. Where somebody writes, or still reads what is
// older, it says that it was busy.
const finish = database.prepare('PRAGMA wal_checkpoint(FULL)');

const work = {
  'copy most'() {
    checkpoint.get();
    return 'most is copied';
  },
  'copy the rest': () => (finish.get().busy ? 'busy' : 'done'),
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
