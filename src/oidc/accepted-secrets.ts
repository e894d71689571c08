/** The secrets of a client where the library knows of one alone. */
import { secretMatches } from '../clients/secret.ts';
import { isLive } from '../clients/secrets.ts';
import type { AcceptedSecret } from './client-directory.ts';

export interface WithSecrets {
  accepted_secrets?: AcceptedSecret[];
  symmetricKeyStore: Iterable<object> & { add(key: object): void };
}

/** Every secret is compared, so that the time does not tell which one it was. */
export function isAccepted(actual: string, accepted: AcceptedSecret[]): boolean {
  const matching = accepted.map((one) => secretMatches(actual, one.value) && isLive(one));
  return matching.includes(true);
}

/** Assertions of `client_secret_jwt` that are signed with the secret before are good too. */
export function acceptEarlier({ accepted_secrets = [], symmetricKeyStore }: WithSecrets): void {
  const [, ...earlier] = accepted_secrets;
  const keys = [...symmetricKeyStore];
  for (const { value } of earlier)
    for (const key of keys) symmetricKeyStore.add({ ...key, k: Buffer.from(value).toString('base64url') });
}
