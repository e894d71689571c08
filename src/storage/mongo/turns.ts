/**
 * Lets the calls of this process that compete for one unique value run one after another; other processes are held off by the
 * unique index alone. For FerretDB's sake: documents that break a unique index at the same moment deadlock there, and are given
 * up one per second. Against mongod it changes nothing, for at most one of them can succeed anyway.
 */
export function createTurns() {
  const last = new Map<string, Promise<unknown>>();

  return async function inTurn<T>(value: string, work: () => Promise<T>): Promise<T> {
    const turn = (last.get(value) ?? Promise.resolve()).then(work, work);
    last.set(value, turn);
    try {
      return await turn;
    } finally {
      if (last.get(value) === turn) last.delete(value);
    }
  };
}
