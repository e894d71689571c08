import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';

const onMongodb = process.env['MONGODB_TEST_URI'] !== undefined;
if (!onMongodb)
  console.warn('SKIPPED: nothing runs on MongoDB. Set MONGODB_TEST_URI to a server whose databases may be dropped.');

// Everything takes many minutes; whoever waits for it gets what tells most in two.
const named = process.argv.slice(3).some((argument) => !argument.startsWith('-'));
const left = process.env['CI'] || named ? [] : ['test/**/*.long.test.ts'];
if (left.length > 0)
  console.warn(
    `SKIPPED: ${globSync(left).length} files that start processes, wait by the clock or try very many ways (${left.join()}). CI=true runs everything.`,
  );

// More than one per core take longer in all. Files of a worker share what they import, which
// is most of the time they take; each puts the clock and its servers back.
const shared = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // A busy machine takes its time: what is looked at again is looked at for long.
  expect: { poll: { timeout: 30_000, interval: 20 } },
  pool: 'forks',
  setupFiles: left.length > 0 ? ['test/support/fewer-rsa-keys.ts'] : [],
  isolate: false,
} satisfies TestProjectInlineConfiguration['test'];

/** Attacks that end before anything is read from a store, or whose target is no record: once is enough. */
const WHATEVER_THE_STORE = [
  ...['account-routes', 'clickjacking', 'client-documents', 'console-routes', 'csv-formulas', 'dns-rebinding'],
  ...['encrypted-bombs', 'log-out-receivers', 'log-out-tokens', 'mail-injection', 'open-redirects', 'pages'],
  ...['spoofed-address', 'ssrf', 'uploads', 'wire'],
].map((name) => `test/attacks/${name}.{test,long.test}.ts`);

/** The flows, attacks and what the conformance suite does once more, on the other store. */
const mongodb: TestProjectInlineConfiguration = {
  test: {
    ...shared,
    name: 'mongodb',
    include: ['test/{flows,attacks,conformance}/**/*.test.ts'],
    exclude: [...WHATEVER_THE_STORE, ...left],
    env: { FLOWS_ON: 'mongodb' },
  },
};

export default defineConfig({
  test: {
    maxWorkers: availableParallelism(),
    projects: [
      { test: { ...shared, name: 'sqlite', include: ['test/**/*.test.ts'], exclude: left } },
      ...(onMongodb ? [mongodb] : []),
    ],
  },
});
