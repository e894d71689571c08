/** Stands before a Gatehouse and puts a token that holds in the place of a word: one that removes its own key needs another. */
import { createServer, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface TokenProxy {
  origin: string;
  /** How many tokens were needed. */
  tokens(): number;
  stop(): Promise<void>;
}

/** @param word sent as a bearer token by whoever is to have one. @param makeToken gives a fresh one. */
export async function tokenProxy(target: string, word: string, makeToken: () => Promise<string>): Promise<TokenProxy> {
  const { hostname, port, host } = new URL(target);
  let token = await makeToken();
  let made = 1;

  const forward = ({ method, url: path, headers }: IncomingMessage, body: Buffer, authorization: string | undefined) =>
    new Promise<{ answer: IncomingMessage; text: Buffer }>((resolve, reject) => {
      const { authorization: sent, ...others } = headers;
      const all = { ...others, host, ...((authorization ?? sent) ? { authorization: authorization ?? sent } : {}) };
      request({ hostname, port, method, path, headers: all }, (answer) =>
        buffer(answer).then((text) => resolve({ answer, text }), reject),
      )
        .on('error', reject)
        .end(body);
    });

  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const body = await buffer(incoming);
      const isOurs = incoming.headers.authorization === `Bearer ${word}`;
      let { answer, text } = await forward(incoming, body, isOurs ? `Bearer ${token}` : undefined);
      if (isOurs && answer.statusCode === 401) {
        token = await makeToken();
        made += 1;
        ({ answer, text } = await forward(incoming, body, `Bearer ${token}`));
      }
      outgoing.writeHead(answer.statusCode!, answer.headers).end(text);
    })().catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    tokens: () => made,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
