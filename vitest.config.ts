import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';

const onMongodb = process.env['MONGODB_TEST_URI'] !== undefined;
if (!onMongodb)
  console.warn('SKIPPED: nothing runs on MongoDB. Set MONGODB_TEST_URI to a server whose databases may be dropped.');

const shared = { testTimeout: 20_000, hookTimeout: 30_000, pool: 'forks' } as const;

/** The flows and attacks once more, on the other store. */
const mongodb: TestProjectInlineConfiguration = {
  test: { ...shared, name: 'mongodb', include: ['test/{flows,attacks}/**/*.test.ts'], env: { FLOWS_ON: 'mongodb' } },
};

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'sqlite', include: ['test/**/*.test.ts'] } },
      ...(onMongodb ? [mongodb] : []),
    ],
  },
});
