/** Somebody on this machine whom nobody from outside should come to. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface Inside {
  port: number;
  /** How many have come so far. */
  connections(): number;
  stop(): Promise<void>;
}

/** Listens on every address of the machine, counts who comes and hangs up. */
export async function startInside(): Promise<Inside> {
  let connections = 0;
  const listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => listener.listen(0, '::', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    connections: () => connections,
    stop: () => new Promise((resolve) => listener.close(() => resolve())),
  };
}
