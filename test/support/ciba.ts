/** An app that asks people who are elsewhere (CIBA), and their answer on the account page. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as oidc from 'openid-client';
import { CIBA } from '../../src/clients/protocol.ts';
import { Browser } from './browser.ts';
import type { Page } from './browser.ts';
import { makeCertificate } from './certificates.ts';
import type { Running } from './gatehouse.ts';
import { linkNamed } from './journey.ts';
import type { App, Person } from './journey.ts';
import { openAccount } from './portal.ts';
import { relyingParty } from './relying-party.ts';
import type { RelyingParty } from './relying-party.ts';

export const CIBA_ON = { GATEHOUSE_CIBA_ENABLED: 'true' };

export const cibaApp = (gatehouse: Running, input: Parameters<Running['app']>[0] = {}): Promise<App> =>
  gatehouse.app({
    name: 'Call Centre',
    redirect_uris: [],
    ...input,
    protocol: { grant_types: [CIBA, 'refresh_token'], ...input.protocol },
  });

export interface Asked {
  rp: RelyingParty;
  request: oidc.BackchannelAuthenticationResponse;
  /** Asks once whether the person has answered. */
  poll(): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers>;
}

export async function ask(
  gatehouse: Running,
  app: App,
  person: Pick<Person, 'email'>,
  parameters: Record<string, string> = {},
  ways: Parameters<typeof relyingParty>[2] = {},
): Promise<Asked> {
  const rp = await relyingParty(gatehouse, app, ways);
  const request = await oidc.initiateBackchannelAuthentication(rp.config, {
    scope: 'openid profile email',
    login_hint: person.email,
    ...parameters,
  });
  return {
    rp,
    request,
    poll: () => oidc.genericGrantRequest(rp.config, CIBA, { auth_req_id: request.auth_req_id }),
  };
}

/** The page with the request of an app, found as a person finds it. */
export async function openRequest(browser: Browser, person: Person, app = 'Call Centre'): Promise<Page> {
  const list = await openAccount(browser, person, '/requests');
  return openAccount(browser, person, linkNamed(list, app).replace(/^.*\/account/, ''));
}

export const allow = (browser: Browser, page: Page): Promise<Page> => browser.submit(page, {}, '/approve');
export const deny = (browser: Browser, page: Page): Promise<Page> => browser.submit(page, {}, '/deny');

/** All that a person does. */
export async function answerAs(gatehouse: Running, person: Person, how = allow): Promise<Page> {
  const browser = new Browser(gatehouse.issuer);
  return how(browser, await openRequest(browser, person));
}

export interface PingReceiver {
  url: string;
  /** What came, in order. */
  pings: { auth_req_id: string; authorization: string | undefined }[];
  /** How each is answered from now on; 204 at first. */
  status(status: number, headers?: Record<string, string>): void;
  stop(): Promise<void>;
}

/** An app's notification endpoint: https, as it must be, with a certificate that nobody vouches for. */
export async function startPingReceiver(): Promise<PingReceiver> {
  const pings: PingReceiver['pings'] = [];
  let [status, headers]: [number, Record<string, string>] = [204, {}];
  const { pem: cert, keyPem: key } = await makeCertificate({ subject: 'CN=localhost' });
  const server = createServer({ cert, key }, (req, res) => {
    void text(req).then((body) => {
      const { auth_req_id } = JSON.parse(body || '{}') as { auth_req_id: string };
      if (req.method === 'POST') pings.push({ auth_req_id, authorization: req.headers.authorization });
      res.writeHead(status, headers).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://localhost:${port}/ping`,
    pings,
    status: (code, more = {}) => void ([status, headers] = [code, more]),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An app that is told when its requests are answered. */
export const pingedApp = (gatehouse: Running, { url }: Pick<PingReceiver, 'url'>): Promise<App> =>
  cibaApp(gatehouse, {
    protocol: {
      grant_types: [CIBA, 'refresh_token'],
      backchannel_token_delivery_mode: 'ping',
      backchannel_client_notification_endpoint: url,
    },
  });
