/** Keys that clients sign with and are encrypted to, and an address where they publish them. */
import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK } from 'jose';

export interface ClientKey {
  key: CryptoKey;
  kid: string;
  /** What is registered. */
  jwks: { keys: Record<string, unknown>[] };
}

export async function clientKey(alg = 'ES256', use: 'sig' | 'enc' = 'sig'): Promise<ClientKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = `client-${alg}-${use}`;
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, use, alg };
  return { key: privateKey, kid, jwks: { keys: [jwk] } };
}

/** A server at a loopback address that answers whatever `answer` says. @param tls for https. */
export async function loopbackServer(
  answer: (path: string) => { status?: number; headers?: object; body: string },
  tls?: { cert: string; key: string },
) {
  const asked: string[] = [];
  const listener: RequestListener = (req, res) => {
    asked.push(req.url ?? '');
    const { status = 200, headers = {}, body } = answer(req.url ?? '');
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  };
  const server = tls ? createHttpsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    asked,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
