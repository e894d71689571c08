/** How pages of ours that act as relying parties reach the provider: in process, as its public address is often out of reach from inside. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import inject from 'light-my-request';

export type InProcessHandler = (req: IncomingMessage, res: ServerResponse) => void;
/** The part of `fetch` that `openid-client` and `jose` call their `customFetch` with. */
export type InProcessFetch = (
  url: string,
  init: { method: string; headers?: ConstructorParameters<typeof Headers>[0]; body?: unknown },
) => Promise<Response>;

interface Needs {
  issuer: string;
  /** Called late: the app is made of the rooms that use this. */
  handle: () => InProcessHandler;
}

const WITHOUT_BODY = new Set([204, 205, 304]);

function bodyText(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString();
  throw new TypeError('only text and forms are sent in process');
}

/** @returns a `fetch` that hands requests for the issuer's origin to our own request handler, and refuses all others. */
export function inProcessFetch({ issuer, handle }: Needs): InProcessFetch {
  const { origin, host } = new URL(issuer);
  return async (target, { method, headers, body }) => {
    const url = new URL(target);
    if (url.origin !== origin) throw new TypeError(`${url.origin} is not reached in process`);
    const payload = bodyText(body);
    const sent: Record<string, string> = { ...Object.fromEntries(new Headers(headers)), host };
    // A member of Node's requests that injected ones lack; here every header stands once.
    const headersDistinct = Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, [value]]));
    const answer = await inject((req, res) => handle()(Object.assign(req, { headersDistinct }), res), {
      method,
      url: url.pathname + url.search,
      headers: sent,
      ...(payload === undefined ? {} : { payload }),
    });
    const received = new Headers();
    for (const [name, value] of Object.entries(answer.headers))
      for (const one of [value ?? []].flat()) received.append(name, String(one));
    return new Response(WITHOUT_BODY.has(answer.statusCode) ? null : new Uint8Array(answer.rawPayload), {
      status: answer.statusCode,
      headers: received,
    });
  };
}
