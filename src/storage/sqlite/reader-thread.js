/** The thread of `reader.ts`. JavaScript: a thread that loads TypeScript takes 15 MB for it. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const database = new DatabaseSync(workerData.file, { readOnly: true, timeout: workerData.timeout });
const statements = new Map();

function prepared(sql) {
  const known = statements.get(sql);
  if (known) return known;
  const statement = database.prepare(sql);
  statements.set(sql, statement);
  return statement;
}

parentPort.on('message', (message) => {
  if (message === 'end') {
    database.close();
    parentPort.close();
    return;
  }
  const { id, sql, values } = message;
  try {
    parentPort.postMessage({ id, rows: prepared(sql).all(...values) });
  } catch (error) {
    parentPort.postMessage({ id, problem: error.message });
  }
});
