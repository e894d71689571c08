/**
 * The certificate that a program proved to have when it connected (RFC 8705): from our own TLS, or from the header in which a
 * trusted proxy that ended the connection passes it on. Anybody else's header is nothing.
 */
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

export type ClientCertificate = (req: IncomingMessage) => X509Certificate | undefined;

interface Needs {
  /** Whether it came by a proxy whose word counts. */
  fromProxy: (req: IncomingMessage) => boolean;
  /** Name of the header; undefined where we end TLS ourselves. */
  header: string | undefined;
}

const MOST_CHARACTERS = 20_000;
const STRUCTURED = /^:([A-Za-z0-9+/=]+):$/;

/** `:base64:` (RFC 9440), a PEM percent-encoded as by nginx, or base64 alone as by Traefik and HAProxy. */
function parse(value: string): X509Certificate | undefined {
  try {
    const der = STRUCTURED.exec(value)?.[1];
    if (der !== undefined) return new X509Certificate(Buffer.from(der, 'base64'));
    const plain = decodeURIComponent(value);
    return new X509Certificate(plain.startsWith('-----BEGIN') ? plain : Buffer.from(plain, 'base64'));
  } catch {
    return undefined; // no certificate
  }
}

export function createClientCertificate({ fromProxy, header }: Needs): ClientCertificate {
  const name = header?.toLowerCase();
  return (req) => {
    if (name === undefined) return req.socket instanceof TLSSocket ? req.socket.getPeerX509Certificate() : undefined;
    const value = req.headers[name];
    if (typeof value !== 'string' || value.length > MOST_CHARACTERS || !fromProxy(req)) return undefined;
    return parse(value);
  };
}
