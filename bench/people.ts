/** The thread that keeps all people signing in between 'start' and 'stop', and says 'stopped' when the last has ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { connect } from './connection.ts';
import type { Target } from './fixture.ts';
import { login } from './login.ts';

const target = workerData as Target;
let over = false;

async function signIn(): Promise<void> {
  over = false;
  const people = target.fixture.people.map(async (person) => {
    const connection = connect(target.origin);
    while (!over) await login(connection, target, person);
    await connection.close();
  });
  await Promise.all(people);
  parentPort!.postMessage('stopped');
}

parentPort!.on('message', (message: 'start' | 'stop') => {
  if (message === 'start') void signIn();
  else over = true;
});
