import type { Connection } from './connect.ts';
import { endMoment, momentNow } from './moments.ts';

/** Tells commits of others apart: as long as it gives the same, no other connection, of this process or another, has written. */
export type Commits = () => unknown;

/**
 * Asks SQLite once in a moment. Whoever was told of a commit and sends a request then has it seen by that request: its bytes are
 * read after the commit, and no answer from before they were read is still good. What was read within one moment is of one state of
 * the store, and nothing of an older one is given out beside what a statement has read.
 */
export function createCommits(connection: Connection): Commits {
  const version = connection.prepareValue('PRAGMA data_version');
  let asked = -1;
  let answer: unknown;
  return () => {
    if (asked !== momentNow()) {
      answer = version();
      asked = momentNow();
      // Runs when all that was ready to run has run, before any socket is read.
      process.nextTick(endMoment);
    }
    return answer;
  };
}
