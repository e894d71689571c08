/** An app's back-channel log-out address, behaving or not, which keeps what it was sent. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyResult } from 'jose';
import { expect } from 'vitest';
import type { NewClient } from '../../src/clients/clients.ts';
import type { Browser } from './browser.ts';
import { eventually } from './eventually.ts';
import type { Running } from './gatehouse.ts';
import { authorize } from './journey.ts';
import type { App, Person } from './journey.ts';
import { relyingParty } from './relying-party.ts';
import type { RelyingParty } from './relying-party.ts';

export interface LogOutReceiver {
  url: string;
  /** Log-out tokens in the order they came, as text. */
  tokens: string[];
  /** What is in them, unverified. */
  claims: () => JWTPayload[];
  /** How requests are answered from now on; 200 unless said otherwise. */
  answer: (respond: (res: ServerResponse, req: IncomingMessage) => void) => void;
  status: (status: number) => void;
  stop(): Promise<void>;
}

export async function startLogOutReceiver(): Promise<LogOutReceiver> {
  const tokens: string[] = [];
  let respond: (res: ServerResponse, req: IncomingMessage) => void = (res) => void res.writeHead(200).end();
  const server = createServer((req, res) => {
    void text(req).then((body) => {
      const token = new URLSearchParams(body).get('logout_token');
      if (req.method === 'POST' && token !== null) tokens.push(token);
      respond(res, req);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/backchannel-logout`,
    tokens,
    claims: () => tokens.map((token) => decodeJwt(token)),
    answer(behaviour) {
      respond = behaviour;
    },
    status(status) {
      respond = (res) => void res.writeHead(status).end();
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Verifies as an app does (OpenID Connect Back-Channel Logout 1.0, section 2.6). */
export function verifyLogOutToken(token: string, issuer: string, clientId: string): Promise<JWTVerifyResult> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  return jwtVerify(token, keys, { issuer, audience: clientId, typ: 'logout+jwt' });
}

/** An app that can be told, and its receiver. */
export interface Party extends LogOutReceiver {
  app: App;
  rp: RelyingParty;
}

export async function startParty(gatehouse: Running, name: string, input: Partial<NewClient> = {}): Promise<Party> {
  const receiver = await startLogOutReceiver();
  const app = await gatehouse.app({
    name,
    redirect_uris: [`https://${name.toLowerCase()}.example/callback`],
    backchannel_logout_uri: receiver.url,
    backchannel_logout_session_required: true,
    ...input,
  });
  return { ...receiver, app, rp: await relyingParty(gatehouse, app) };
}

/** Signs a person in to the app, up to the tokens. */
export async function signInTo({ rp }: Party, person: Person, browser: Browser, scope = 'openid') {
  const { callback, checks } = await authorize(rp, person, { scope }, browser);
  return rp.redeem(callback, checks);
}

/** Waits until the app was told so many times. */
export const toldTimes = (party: LogOutReceiver, count: number) =>
  eventually(() => expect(party.tokens).toHaveLength(count));
