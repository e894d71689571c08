/** Mutual TLS (RFC 8705): clients that prove themselves by a certificate, and tokens that are good only with one. */
import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { certificateIs } from '../../clients/certificate.ts';

/** What mutual TLS needs of the network; undefined where it is off. */
export interface MutualTls {
  certificateOf(req: IncomingMessage): X509Certificate | undefined;
  /** Whether an authority that the operator trusts issued it. */
  isVouchedFor(certificate: X509Certificate): boolean;
  /** Address of the same endpoints where browsers are not asked for certificates. */
  origin: string | undefined;
}

const ALIASED = [
  'token',
  'userinfo',
  'introspection',
  'revocation',
  'pushed_authorization_request',
  'device_authorization',
  'backchannel_authentication',
];

export function mutualTlsFeatures(mutualTls: MutualTls | undefined) {
  // Where it is off, whoever must have a certificate finds that they have none: nothing is left unbound unnoticed.
  if (!mutualTls)
    return { mTLS: { enabled: true, certificateBoundAccessTokens: true, getCertificate: () => undefined } };
  const { certificateOf, isVouchedFor } = mutualTls;
  const of = (ctx: KoaContextWithOIDC) => certificateOf(ctx.req);
  return {
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      selfSignedTlsClientAuth: true,
      tlsClientAuth: true,
      getCertificate: of,
      certificateAuthorized: (ctx) => {
        const certificate = of(ctx);
        return certificate !== undefined && isVouchedFor(certificate);
      },
      certificateSubjectMatches: (ctx, property, expected) => {
        const certificate = of(ctx);
        return certificate !== undefined && certificateIs(certificate, property, expected);
      },
    },
  } satisfies Configuration['features'];
}

/** Says in the metadata whether there is mutual TLS, and where to go with a certificate (RFC 8705, section 5). */
export const nameAliases =
  (issuer: string, mutualTls: MutualTls | undefined) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (!ctx.path.startsWith('/.well-known/')) return next();
    await next();
    const { oidc } = ctx as { oidc?: KoaContextWithOIDC['oidc'] };
    if (oidc?.route !== 'discovery' || ctx.status !== 200) return;
    const metadata = ctx.body as Record<string, unknown>;
    if (!mutualTls) delete metadata['tls_client_certificate_bound_access_tokens'];
    if (mutualTls?.origin === undefined) return;
    const { origin } = new URL(issuer);
    const named = ALIASED.map((name) => `${name}_endpoint`).filter((name) => typeof metadata[name] === 'string');
    metadata['mtls_endpoint_aliases'] = Object.fromEntries(
      named.map((name) => [name, String(metadata[name]).replace(origin, mutualTls.origin!)]),
    );
  };
