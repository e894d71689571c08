import { vi } from 'vitest';

/** Moves the clock of this process; timers and sockets go on as they were. `storageContract` sets it right after each test. */
export function moveClock(seconds: number): void {
  const from = Date.now();
  if (!vi.isFakeTimers()) vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(from + seconds * 1000);
}
