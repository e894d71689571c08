/** When V8 collects garbage. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

interface CollectOptions {
  type: 'major';
  execution: 'sync';
  flavor: 'last-resort';
}

/**
 * Collects what starting left behind, once: the configuration's schema at work, compiled code that ran its only time, and a
 * young generation grown to its full size, together a fifth of the resident memory. V8 gives them back only when memory is
 * short, which it does not know to be so. Takes some 50 ms of the start, when nobody waits yet.
 */
export function tidyAfterStart(): void {
  // The flag is for the context made next; left on, it would keep code out of the compile cache, which remembers the flags.
  setFlagsFromString('--expose-gc');
  try {
    const collect = runInNewContext('gc') as (options: CollectOptions) => void;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

/**
 * Lets old objects become twice as many before V8 collects them, and keeps the room they had. By itself it collects once a tenth has been added, as the
 * heap is small and grows slowly: with people signing in every four seconds. And when nobody has come for eight, it gives the room back and moves what
 * lives together, after which the next thousand sign-ins cost a tenth more. To be called when code has been written to the compile cache, which
 * remembers the flags.
 */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=100');
  setFlagsFromString('--no-memory-reducer-favors-memory');
}
