import { AsyncResource } from 'node:async_hooks';

/** Of what waits an eighth begins in a turn, and at least one: where much waits, or turns are long, nobody waits for ever. */
const SHARE = 8;

/**
 * Spreads work over turns of the event loop, in its order, so that what comes in between is served between.
 * @returns what takes a piece of work, which runs in the asynchronous context of whoever hands it in.
 */
export function createTurns(): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  function turn(): void {
    const now = waiting.splice(0, Math.ceil(waiting.length / SHARE));
    if (waiting.length > 0) setImmediate(turn);
    for (const work of now) work();
  }
  return (work) => {
    // What `AsyncResource.bind` does, without describing the function anew: 10 us.
    const context = new AsyncResource('turn');
    if (waiting.push(() => context.runInAsyncScope(work)) === 1) setImmediate(turn);
  };
}
