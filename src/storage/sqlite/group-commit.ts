/**
 * Group commit: writes that come close together share a transaction, which costs a third of one each. Nobody is answered
 * before the commit, and the transaction begins and ends within one call, so it never spans an `await`.
 */
import { createTurns } from '../../kernel/turns.ts';
import { isConstraintError } from './connect.ts';
import type { Connection } from './connect.ts';

/** A group waits on while each turn of the event loop brings it more: under load it grows, and alone nobody waits. */
const MOST_TURNS = 4;
const MOST_WRITES = 16;

export interface GroupCommit {
  /**
   * Runs `work` with the writes beside it. @returns what it gave, once that is committed.
   * @param undone called where it was not, before anything else runs.
   */
  write<T>(work: () => T, undone?: () => void): Promise<T>;
  /** The same for work of several statements: all of them count, or none, and no other process writes between them. */
  writeWhole<T>(work: () => T): Promise<T>;
  /** Commits now what waits: before a write by another connection that must come after it, and before closing. */
  flush(): void;
  /**
   * Lets writes wait without blocking anybody, while somebody else must not be disturbed by them; `flush` commits them all the same.
   * @returns what commits them, lets writes go on, and answers in turns.
   */
  pause(): () => void;
}

interface Waiting {
  /** One statement is a transaction by itself; more are not. */
  whole: boolean;
  /** Runs the write, and keeps its result or the constraint it broke. */
  run(): void;
  /** Answers; with `error` if nothing was committed. */
  settle(error?: Error): void;
}

/** @param wrote told how many writes were committed. */
export function groupCommit(connection: Connection, wrote: (count: number) => void): GroupCommit {
  let waiting: Waiting[] = [];
  let paused = false;

  /** @param answer told the group and what kept it from being committed. */
  function commit(answer: (group: Waiting[], failure?: Error) => void): void {
    const group = waiting;
    waiting = [];
    if (group.length === 0) return;
    let failure: Error | undefined;
    try {
      if (group.length === 1 && !group[0]!.whole) group[0]!.run();
      else
        connection.transaction(() => {
          for (const one of group) one.run();
        });
    } catch (error) {
      failure = error as Error;
    }
    answer(group, failure);
    if (!failure) wrote(group.length);
  }

  const answerAll = (group: Waiting[], failure?: Error) => group.forEach((one) => one.settle(failure));
  const flush = () => commit(answerAll);

  /** Whoever asks for what needs no write is served between them. */
  const takeTurn = createTurns();
  const answerInTurns = (group: Waiting[]) => group.forEach((one) => takeTurn(one.settle));

  function turn(seen: number, left: number): void {
    if (waiting.length > seen && left > 0 && waiting.length < MOST_WRITES) {
      const now = waiting.length;
      setImmediate(() => turn(now, left - 1));
    } else if (!paused) flush();
  }

  function add<T>(work: () => T, whole: boolean, undone?: () => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let result: T;
      let broken: Error | undefined;
      if (waiting.length === 0) setImmediate(() => turn(1, MOST_TURNS));
      waiting.push({
        whole,
        run() {
          try {
            result = work();
          } catch (error) {
            // Undoes only this write; the others go on.
            if (!isConstraintError(error)) throw error;
            broken = error as Error;
            undone?.();
          }
        },
        settle(failure) {
          if (failure) undone?.();
          const error = failure ?? broken;
          if (error) reject(error);
          else resolve(result);
        },
      });
    });
  }

  function together<T>(work: () => T): T {
    connection.exec('SAVEPOINT whole');
    try {
      return work();
    } catch (error) {
      connection.exec('ROLLBACK TO whole');
      throw error;
    } finally {
      connection.exec('RELEASE whole');
    }
  }

  return {
    flush,
    pause() {
      paused = true;
      return () => {
        paused = false;
        commit((group, failure) => (failure ? answerAll(group, failure) : answerInTurns(group)));
      };
    },
    write: (work, undone) => add(work, false, undone),
    writeWhole: (work) => add(() => together(work), true),
  };
}
