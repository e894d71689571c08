/** What tokens for an API are like for a client, with the algorithms that keys sign just now. */
import type { Client } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import { activeKey } from '../../keys/signing-key.ts';
import type { SigningKey } from '../../keys/signing-key.ts';
import type { ClientDirectory } from '../client-directory.ts';
import { apiTokens } from '../resources.ts';
import type { ApiTokens } from '../resources.ts';

export interface Apis {
  /** @throws InvalidTarget. */
  find(resource: string, client: Client): Promise<ApiTokens>;
}

interface Needs {
  directory: Pick<ClientDirectory, 'api'>;
  config: Pick<Config, 'keys'>;
  liveKeys: { keys(): SigningKey[] };
}

export const createApis = ({ directory, config, liveKeys }: Needs): Apis => ({
  find(resource, client) {
    const algorithms = config.keys.algorithms.filter((alg) => activeKey(liveKeys.keys(), alg));
    return apiTokens(directory, algorithms, resource, client);
  },
});
