/** How long to wait before trying again, in whole seconds, longer each time. */

/** When the mail server does not work at all: it is asked about once a minute, by one mail. */
const SERVER = { first: 2, longest: 60 };
/** When it refused one mail for now; greylisting wants some minutes. */
const MAIL = { first: 30, longest: 3600 };

/**
 * @param failures how often it failed so far, from 1. @param random from 0 to 1: what failed together shall not come back
 * together.
 */
export function waitAfter(failures: number, of: 'server' | 'mail', random = Math.random()): number {
  const { first, longest } = of === 'server' ? SERVER : MAIL;
  const doubled = Math.min(longest, first * 2 ** Math.min(failures - 1, 20));
  return Math.max(1, Math.round(doubled * (0.5 + random / 2)));
}
