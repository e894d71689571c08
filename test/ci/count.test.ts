/** What a run of everything ends with is counted right. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-count-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Outcome = 'passed' | 'failed' | 'skipped';

/** A report as the runner writes it. @param files of each the outcomes of its tests; none that ran: it broke before its first. */
function report(name: string, files: Record<string, Outcome[]>): string {
  const testResults = Object.entries(files).map(([file, outcomes]) => ({
    name: path.resolve(file),
    status: outcomes.includes('passed') && !outcomes.includes('failed') ? 'passed' : 'failed',
    assertionResults: outcomes.map((status, index) => ({ status, fullName: `test ${index}` })),
  }));
  const all = Object.values(files).flat();
  const counts = { numTotalTests: all.length };
  const file = path.join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ ...counts, testResults }));
  return file;
}

function count(...args: string[]): { lines: string[]; status: number | null } {
  const { stdout, status } = spawnSync(process.execPath, ['.ci/count.js', ...args], { encoding: 'utf8' });
  return { lines: stdout.trim().split('\n'), status };
}

const FLOW = 'test/flows/a.test.ts';

test('all passed', () => {
  const first = report('all', { [FLOW]: ['passed', 'passed'] });
  expect(count('failed', first).lines).toEqual(['']);
  expect(count('total', first)).toEqual({ lines: ['2 passed, 0 failed'], status: 0 });
});

test('what failed once is run once more, and named', () => {
  const first = report('once', { [FLOW]: ['passed', 'failed'], 'test/flows/b.test.ts': ['passed'] });
  expect(count('failed', first).lines).toEqual([FLOW]);
  expect(count('total', first)).toEqual({ lines: [`failed: ${FLOW} > test 1`, '2 passed, 1 failed'], status: 1 });
  const second = report('again', { [FLOW]: ['passed', 'passed'] });
  const lines = [`failed at first: ${FLOW} > test 1`, '3 passed, 0 failed'];
  expect(count('total', first, second)).toEqual({ lines, status: 0 });
});

test('what fails again has failed', () => {
  const first = report('once', { [FLOW]: ['failed', 'failed'] });
  const second = report('again', { [FLOW]: ['passed', 'failed'] });
  const { lines, status } = count('total', first, second);
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
  expect(status).toBe(1);
});

test('nothing that ran once more is a failure', () => {
  const first = report('once', { [FLOW]: ['failed'] });
  expect(count('total', first, report('nothing', {})).status).toBe(1);
});

test('a file that broke has failed', () => {
  const first = report('broken', { [FLOW]: [], 'test/flows/b.test.ts': ['passed'] });
  expect(count('failed', first).lines).toEqual([FLOW]);
  expect(count('total', first)).toEqual({ lines: [`failed: ${FLOW} > (the file)`, '1 passed, 1 failed'], status: 1 });
});

test('more than three files, and those that look for races, are not run once more', () => {
  const many = Object.fromEntries([1, 2, 3, 4].map((n) => [`test/flows/${n}.test.ts`, ['failed'] as Outcome[]]));
  expect(count('failed', report('many', many)).lines).toEqual(['']);
  expect(count('failed', report('race', { 'test/storage/sqlite.test.ts': ['failed'] })).lines).toEqual(['']);
});

test('nothing may be skipped', () => {
  const first = report('skipped', { [FLOW]: ['passed', 'skipped'] });
  expect(count('total', first)).toEqual({ lines: ['1 passed, 0 failed, 1 skipped'], status: 1 });
});

test('what a file skipped as it broke is counted as it went the second time', () => {
  const first = report('broke at first', { [FLOW]: ['skipped', 'skipped'], 'test/flows/b.test.ts': ['passed'] });
  expect(count('failed', first).lines).toEqual([FLOW]);
  const second = report('whole then', { [FLOW]: ['passed', 'passed'] });
  const lines = [`failed at first: ${FLOW} > (the file)`, '3 passed, 0 failed'];
  expect(count('total', first, second)).toEqual({ lines, status: 0 });
});
