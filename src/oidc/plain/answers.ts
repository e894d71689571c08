/** Answers of the token endpoint to plain requests (RFC 6749, section 5.1), as the library sends them. */
import type { ServerResponse } from 'node:http';

export interface PlainAnswer {
  body: {
    access_token: string;
    expires_in: number;
    id_token?: string | undefined;
    refresh_token?: string | undefined;
    scope: string | undefined;
    token_type: 'Bearer';
  };
  /** The parameters, with those that stood for others. */
  params: Record<string, string>;
  /** Whose tokens they are; undefined where they are the client's own. */
  accountId: string | undefined;
}

/** To a request without `Origin`, letter by letter. */
const HEADERS: [name: string, value: string][] = [
  ['Vary', 'Origin'],
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Expose-Headers', 'DPoP-Nonce,WWW-Authenticate'],
  ['cache-control', 'no-store'],
  ['Content-Type', 'application/json; charset=utf-8'],
];

/** @param always headers of every answer. */
export function createSend(always: [name: string, value: string][]) {
  const headers = [...always, ...HEADERS].flat();
  return (res: ServerResponse, { body }: PlainAnswer): void => {
    const text = JSON.stringify(body);
    res.writeHead(200, [...headers, 'Content-Length', String(Buffer.byteLength(text))]).end(text);
  };
}
