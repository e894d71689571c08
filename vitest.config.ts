import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';

const onMongodb = process.env['MONGODB_TEST_URI'] !== undefined;
if (!onMongodb)
  console.warn('SKIPPED: nothing runs on MongoDB. Set MONGODB_TEST_URI to a server whose databases may be dropped.');

// A file waits for its servers most of the time: one per core is not too many. Files of a worker share what they import, which
// is most of the time they take; each puts the clock and its servers back.
const shared = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // A busy machine takes its time: what is looked at again is looked at for long.
  expect: { poll: { timeout: 30_000, interval: 20 } },
  pool: 'forks',
  isolate: false,
} as const;

/** The flows, attacks and what the conformance suite does once more, on the other store. */
const mongodb: TestProjectInlineConfiguration = {
  test: {
    ...shared,
    name: 'mongodb',
    include: ['test/{flows,attacks,conformance}/**/*.test.ts'],
    env: { FLOWS_ON: 'mongodb' },
  },
};

export default defineConfig({
  test: {
    maxWorkers: availableParallelism(),
    projects: [
      { test: { ...shared, name: 'sqlite', include: ['test/**/*.test.ts'] } },
      ...(onMongodb ? [mongodb] : []),
    ],
  },
});
