/**
 * Moments: what SQLite answered within one is as good as asked again. A moment ends with every statement that a connection of
 * this thread runs, and when control goes back to the event loop: no later than that are the bytes of another request read.
 */
let count = 0;

/** Which moment it is. */
export const momentNow = (): number => count;

/** To be called before each statement. */
export function endMoment(): void {
  count += 1;
}
