/** What is signed and encrypted by whom: JAR (RFC 9101), JARM, JWT introspection (RFC 9701), userinfo and ID tokens as JWTs. */
import type { Configuration } from 'oidc-provider';
import { CLIENTS_SIGN_WITH, ENCRYPTED_TO, ENCRYPTED_WITH } from '../../clients/protocol.ts';
import type { SignedWith } from '../../clients/protocol.ts';
import type { Config } from '../../config/schema.ts';

type Features = NonNullable<Configuration['features']>;
type Algorithms = NonNullable<Configuration['enabledJWA']>;

/**
 * No `none`, and no shared secret but for `client_secret_jwt`: the secrets of other clients are kept as hashes, and a hash read
 * from the store must never be good as a key. No `RSA1_5` either (RFC 8725, section 3.2).
 */
export function algorithms(signing: SignedWith[]): Algorithms {
  const alg = [...ENCRYPTED_TO];
  const enc = [...ENCRYPTED_WITH];
  const ofClients = [...CLIENTS_SIGN_WITH];
  return {
    idTokenSigningAlgValues: signing,
    userinfoSigningAlgValues: signing,
    introspectionSigningAlgValues: signing,
    authorizationSigningAlgValues: signing,
    requestObjectSigningAlgValues: ofClients,
    clientAuthSigningAlgValues: ['HS256', ...ofClients],
    dPoPSigningAlgValues: ofClients.filter((name) => !name.startsWith('RS')),
    // Nobody but us could read what is encrypted to us, and a pushed request (RFC 9126) is as private.
    requestObjectEncryptionAlgValues: [],
    requestObjectEncryptionEncValues: [],
    idTokenEncryptionAlgValues: alg,
    idTokenEncryptionEncValues: enc,
    userinfoEncryptionAlgValues: alg,
    userinfoEncryptionEncValues: enc,
    introspectionEncryptionAlgValues: alg,
    introspectionEncryptionEncValues: enc,
    authorizationEncryptionAlgValues: alg,
    authorizationEncryptionEncValues: enc,
  };
}

export const signatureFeatures = ({ oauth }: Pick<Config, 'oauth'>) =>
  ({
    encryption: { enabled: true },
    jwtUserinfo: { enabled: true },
    jwtIntrospection: { enabled: true },
    jwtResponseModes: { enabled: true },
    requestObjects: { enabled: true, requireSignedRequestObject: oauth.require_signed_request_object },
    pushedAuthorizationRequests: {
      enabled: true,
      requirePushedAuthorizationRequests: oauth.require_pushed_authorization_requests,
    },
  }) satisfies Features;
