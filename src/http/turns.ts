import type { IncomingMessage, ServerResponse } from 'node:http';
import { createTurns } from '../kernel/turns.ts';

type Handle = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Requests that come together begin in turns of the event loop: a page takes milliseconds, and who asks for a token meanwhile waits for
 * one of them, not for all. Of a request whose sender has gone meanwhile neither address nor body is left, so that it does not begin.
 */
export function inTurns(handle: Handle): Handle {
  const take = createTurns();
  return (req, res) =>
    take(() => {
      if (!req.destroyed) handle(req, res);
    });
}
