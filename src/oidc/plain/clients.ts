/** Which clients are plain, and their authentication: by a secret, or by none where they are public. */
import type { IncomingMessage } from 'node:http';
import type { Client, Provider } from 'oidc-provider';
import type { ClientGuard } from '../../limits/client-guard.ts';
import { isAccepted } from '../accepted-secrets.ts';
import type { AcceptedSecret } from '../client-directory.ts';
import type { PlainRequest } from './requests.ts';

const SECRET_METHODS = ['client_secret_basic', 'client_secret_post'];
const METHODS = [...SECRET_METHODS, 'none'];
/** What binds tokens to a key, or makes them look different. */
const SPECIAL = [
  'clientSecretExpiresAt',
  'tlsClientCertificateBoundAccessTokens',
  'dpopBoundAccessTokens',
  'idTokenEncryptedResponseAlg',
  'fapi_profile',
] as const;

export interface PlainClients {
  /** The client that a request comes from; undefined where it is not plain, or its secret not right. */
  authenticate(request: PlainRequest, req: IncomingMessage): Promise<Client | undefined>;
}

interface Needs {
  provider: Pick<Provider, 'Client'>;
  clientAddress(req: IncomingMessage): string;
  clientGuard: ClientGuard;
}

const isPlain = (client: Client): boolean =>
  METHODS.includes(client.clientAuthMethod!) &&
  client.subjectType === 'public' &&
  SPECIAL.every((name) => !client[name]);

export function createPlainClients({ provider, clientAddress, clientGuard }: Needs): PlainClients {
  const plain = new WeakMap<Client, boolean>();

  function isKnownPlain(client: Client): boolean {
    let known = plain.get(client);
    if (known === undefined) plain.set(client, (known = isPlain(client)));
    return known;
  }

  return {
    async authenticate({ clientId, secret }, req) {
      const client = await provider.Client.find(clientId);
      if (!client || !isKnownPlain(client)) return undefined;
      if (client.clientAuthMethod === 'none') return secret === undefined ? client : undefined;
      if (secret === undefined) return undefined;
      const { accepted_secrets = [] } = client as { accepted_secrets?: AcceptedSecret[] };
      // A wrong one is counted where it is refused.
      if (!isAccepted(secret, accepted_secrets)) return undefined;
      return (await clientGuard.compared(clientId, clientAddress(req), true)) ? client : undefined;
    },
  };
}
