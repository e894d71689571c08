/**
 * Reads the runner's reports. `failed <report>` prints the files to run once more, nothing where too much failed for that;
 * `total <first> [<second>]` prints what came of all, and ends with 1 unless everything passed.
 */
import console from 'node:console';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** More than those are no accident. */
const MOST_AGAIN = 3;
/** Where tests look for races, a failure that comes seldom is what they are there to find. */
const NEVER_AGAIN = /^test\/(storage|properties)\//;

const [what, ...files] = process.argv.slice(2);
const [first, second] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));

/** A file that broke before its first test counts as one failure. */
const failuresOf = ({ testResults }) =>
  testResults.flatMap(({ name, status, assertionResults }) => {
    const failed = assertionResults.filter((one) => one.status === 'failed').map((one) => one.fullName);
    const broken = status === 'failed' && failed.length === 0;
    return (broken ? ['(the file)'] : failed).map((test) => ({ file: path.relative('.', name), test }));
  });

/** How many tests of the files that `counts` came to one of these ends. */
const endedAs = ({ testResults }, counts, ...ends) =>
  testResults
    .filter(({ name }) => counts(path.relative('.', name)))
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => ends.includes(status)).length;

const failed = failuresOf(first);
if (what === 'failed') {
  const again = [...new Set(failed.map(({ file }) => file))];
  if (again.length <= MOST_AGAIN && !again.some((file) => NEVER_AGAIN.test(file))) console.log(again.join(' '));
} else {
  const left = second ? failuresOf(second) : failed;
  if (second && second.numTotalTests === 0) left.push(...failed);
  for (const { file, test } of failed) console.log(`${second ? 'failed at first' : 'failed'}: ${file} > ${test}`);
  for (const { file, test } of second ? left : []) console.log(`failed again: ${file} > ${test}`);
  // Of a file that ran again the second time counts.
  const again = new Set(second ? failed.map(({ file }) => file) : []);
  const count = (...ends) =>
    endedAs(first, (file) => !again.has(file), ...ends) + (second ? endedAs(second, () => true, ...ends) : 0);
  const skipped = count('pending', 'skipped', 'todo', 'disabled');
  const passed = count('passed');
  console.log(`${passed} passed, ${left.length} failed${skipped ? `, ${skipped} skipped` : ''}`);
  if (skipped > 0) console.error('CI skips nothing');
  process.exitCode = left.length + skipped > 0 ? 1 : 0;
}
