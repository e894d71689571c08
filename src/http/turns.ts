import type { IncomingMessage, ServerResponse } from 'node:http';

type Handle = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Requests that come together begin one in a turn of the event loop, in their order: a page takes milliseconds, and who asks for a
 * token meanwhile waits for one of them, not for all.
 */
export function oneInATurn(handle: Handle): Handle {
  const waiting: Parameters<Handle>[] = [];
  function begin(): void {
    const request = waiting.shift()!;
    if (waiting.length > 0) setImmediate(begin);
    handle(...request);
  }
  return (...request) => {
    if (waiting.push(request) === 1) setImmediate(begin);
  };
}
