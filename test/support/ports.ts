/** Ports that are free, and stay free until the one who asked takes them. */
import { createServer } from 'node:net';

/**
 * Below those that the system gives to connections, and to servers that ask for any: one of these is taken by nobody who did not
 * ask for it by its number. Each worker has its own among them.
 */
const [FIRST, END] = [12_000, 32_000];
const WORKERS = 20;

const mine = Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS;
// Not the first ones always: another run of the tests may be under way on this machine.
let turn = Math.floor((Math.random() * (END - FIRST)) / WORKERS);

function nextOfMine(): number {
  turn = (turn + 1) % ((END - FIRST) / WORKERS);
  return FIRST + turn * WORKERS + mine;
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextOfMine();
    if (await isFree(port)) return port;
  }
}
