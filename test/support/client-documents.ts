/** Apps that nobody registered: a site with https that publishes documents, trusted by this process as any site is by its certificate. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { makeCertificate } from './certificates.ts';

export interface Published {
  status?: number;
  headers?: Record<string, string>;
  /** Of a document as it should be; text is sent as it is. */
  body: object | string;
  /** Sends this much, and then nothing more for ever. */
  stalls?: boolean;
}

export interface Site {
  origin: string;
  host: string;
  /** What was asked for. */
  asked: string[];
  /** Publishes a document at this path, its `client_id` and redirect URI filled in. @returns the app. */
  publish(path: string, document?: object, headers?: Record<string, string>): PublishedApp;
  /** Answers with just this. @returns the URL. */
  answer(path: string, published: Published): string;
  stop(): Promise<void>;
}

export interface PublishedApp {
  client_id: string;
  client_secret: undefined;
  redirect_uri: string;
  resource: null;
}

export async function documentSite(): Promise<Site> {
  // Of two that sign themselves under one name only the first would be found.
  const subject = `CN=${randomUUID()}`;
  const made = await makeCertificate({ subject, names: [{ type: 'dns', value: 'localhost' }] });
  const trusted = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...trusted, made.pem]);
  const pages = new Map<string, Published>();
  const asked: string[] = [];
  const server = createServer({ cert: made.pem, key: made.keyPem }, (req, res) => {
    asked.push(req.url ?? '');
    const found: Published = pages.get(req.url ?? '') ?? { status: 404, body: {} };
    const { status = 200, headers = {}, body, stalls } = found;
    res.writeHead(status, { 'content-type': 'application/json', ...headers });
    res.write(typeof body === 'string' ? body : JSON.stringify(body));
    if (stalls !== true) res.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  const origin = `https://${host}`;
  return {
    origin,
    host,
    asked,
    publish(path, document = {}, headers = {}) {
      const body = {
        client_id: origin + path,
        client_name: 'Travel Agent',
        redirect_uris: ['https://agent.example/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        ...document,
      };
      pages.set(path, { body, headers });
      const [redirect_uri] = body.redirect_uris;
      return { client_id: origin + path, client_secret: undefined, redirect_uri: redirect_uri!, resource: null };
    },
    answer(path, published) {
      pages.set(path, published);
      return origin + path;
    },
    async stop() {
      tls.setDefaultCACertificates(trusted);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
