/**
 * How long to wait before trying again, in whole seconds: twice as long each time, and never the same for two that failed
 * together, so that they do not come back together.
 * @param failures how often it failed so far, from 1. @param random from 0 to 1.
 */
export function backOff(
  failures: number,
  { first, longest }: { first: number; longest: number },
  random = Math.random(),
): number {
  const doubled = Math.min(longest, first * 2 ** Math.min(failures - 1, 20));
  return Math.max(1, Math.round(doubled * (0.5 + random / 2)));
}
