/** The thread of `checkpoints.ts`. JavaScript: a thread that loads TypeScript takes 15 MB for it. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const database = new DatabaseSync(workerData.file, { timeout: 0 });
// It never waits for those who read or write, and copies what they do not need. What is copied is synced before the log is used anew.
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');

parentPort.on('message', (message) => {
  if (message === 'end') {
    database.close();
    parentPort.close();
    return;
  }
  try {
    checkpoint.get();
  } catch {
    // Another process is at it.
  }
});
