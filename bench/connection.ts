/** One kept-alive connection to a server under measurement, and a browser's cookies where a login needs them. */
import { Client } from 'undici';

export interface Request {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface Connection {
  send(request: Request): Promise<Answer>;
  close(): Promise<void>;
}

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

export const basic = ({ client_id, client_secret }: { client_id: string; client_secret: string }) =>
  `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`;

export function connect(origin: string): Connection {
  const client = new Client(origin, { pipelining: 1 });
  return {
    async send(request) {
      const { statusCode, headers, body } = await client.request(request);
      return { status: statusCode, headers, text: await body.text() };
    },
    close: () => client.close(),
  };
}

/** Sends and insists on success. @throws Error with the answer otherwise. */
export async function sendOk(connection: Connection, request: Request): Promise<string> {
  const { status, text } = await connection.send(request);
  if (status !== 200) throw new Error(`${request.method} ${request.path} answered ${status}: ${text.slice(0, 300)}`);
  return text;
}

/** Cookies by name alone: one login at a time needs no more. */
export function withCookies(connection: Connection): Connection {
  const jar = new Map<string, string>();
  return {
    ...connection,
    async send({ headers, ...request }) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await connection.send({ ...request, headers: { ...headers, ...(cookie ? { cookie } : {}) } });
      for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
        const [pair = ''] = line.split(';');
        const at = pair.indexOf('=');
        if (pair.length === at + 1) jar.delete(pair.slice(0, at));
        else jar.set(pair.slice(0, at), pair.slice(at + 1));
      }
      return answer;
    },
  };
}
