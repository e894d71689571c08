/** An issuer that is trusted elsewhere, and a program that brings its statements (RFC 7523). */
import { SignJWT } from 'jose';
import type { JWTPayload } from 'jose';
import { JWT_BEARER } from '../../src/clients/protocol.ts';
import type { ProtocolMetadata } from '../../src/clients/protocol.ts';
import { newId } from '../../src/kernel/ids.ts';
import { clientKey } from './client-keys.ts';
import type { ClientKey } from './client-keys.ts';
import { as } from './endpoints.ts';
import type { Answer, Fields } from './endpoints.ts';
import type { Running } from './gatehouse.ts';
import type { App } from './journey.ts';

export const PARTNER = 'https://partner.example';
type Trusted = NonNullable<ProtocolMetadata['jwt_bearer']>[number];

export interface Bringing {
  api: App;
  service: App;
  key: ClientKey;
  /** Seconds since the epoch. */
  now(): number;
  sign(claims?: JWTPayload, header?: object, by?: ClientKey): Promise<string>;
  bring(assertion: string, fields?: Fields, by?: App): Promise<Answer>;
}

export async function bringing(gatehouse: Running, policy: Partial<Trusted> = {}): Promise<Bringing> {
  const key = await clientKey('ES256');
  const api = await gatehouse.app({ type: 'api', name: 'Orders', scope: 'orders:read orders:write orders:purge' });
  const trusted: Trusted = {
    issuer: PARTNER,
    subject: 'account',
    to: [api.resource!],
    scopes: ['orders:read', 'orders:write', 'email'],
    max_lifetime: 300,
    ...(policy.jwks_uri === undefined ? { jwks: key.jwks } : {}),
    ...policy,
  };
  const service = await gatehouse.app({
    type: 'service',
    name: 'Partner bridge',
    protocol: { grant_types: ['client_credentials', JWT_BEARER], jwt_bearer: [trusted] },
  });
  const now = () => Math.floor(Date.now() / 1000);
  return {
    api,
    service,
    key,
    now,
    sign: (claims = {}, header = {}, by = key) =>
      new SignJWT({ iss: PARTNER, aud: gatehouse.issuer, iat: now(), exp: now() + 120, jti: newId(), ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: by.kid, ...header })
        .sign(by.key),
    bring: (assertion, fields = {}, by = service) =>
      as(gatehouse, by).token({ grant_type: JWT_BEARER, assertion, resource: api.resource!, ...fields }),
  };
}
