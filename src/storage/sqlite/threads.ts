import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';

/** Has a thread of the store do what it was asked, close its file, and end; one that failed has ended. */
export async function endThread(thread: Worker): Promise<void> {
  const ended = once(thread, 'exit').catch(() => undefined);
  thread.ref();
  thread.postMessage('end');
  await ended;
}
