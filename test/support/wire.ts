/** Bytes on the wire, for requests that no HTTP client would send. */
import { connect } from 'node:net';

export interface WireAnswer {
  status: number;
  head: string;
  body: string;
}

/** Sends `request` as it is and reads until the server closes; the request should say `Connection: close`. */
export async function onTheWire(issuer: string, request: string | Uint8Array): Promise<WireAnswer> {
  const socket = connect(Number(new URL(issuer).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(request);
  const chunks: Uint8Array[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await new Promise((resolve) => socket.on('close', resolve));
  const text = Buffer.concat(chunks).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0),
    head: text.slice(0, end),
    body: text.slice(end + 4),
  };
}

/** A request line and headers, without a body. */
export const plainRequest = (line: string, headers: Record<string, string>): string =>
  [
    `${line} HTTP/1.1`,
    ...Object.entries({ ...headers, Connection: 'close' }).map(([n, v]) => `${n}: ${v}`),
    '',
    '',
  ].join('\r\n');
