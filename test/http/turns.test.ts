import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { inTurns } from '../../src/http/turns.ts';

it('begins no request whose sender has gone while it waited', async () => {
  const server = createServer();
  const begun: string[] = [];
  const handle = inTurns((req, res) => {
    begun.push(req.url!);
    res.end();
  });
  const arrived = new Promise<void>((resolve) => {
    server.on('request', (req, res) => {
      if (req.url === '/stays') {
        handle(req, res);
        return;
      }
      req.once('close', () => {
        handle(req, res);
        resolve();
      });
      gone.destroy();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const gone = request({ host: '127.0.0.1', port, path: '/gone', method: 'POST' }).on('error', () => undefined);
  gone.write('a form that');
  await arrived;
  const [answer] = (await once(request({ host: '127.0.0.1', port, path: '/stays' }).end(), 'response')) as [
    { statusCode: number; resume(): void },
  ];
  answer.resume();
  await nextTurn();
  expect(answer.statusCode).toBe(200);
  expect(begun).toEqual(['/stays']);
  server.close();
});
