/** A front API that people's apps call, and a back API that it calls for them with an exchanged token. */
import type { ProtocolMetadata } from '../../src/clients/protocol.ts';
import { TOKEN_EXCHANGE } from '../../src/clients/protocol.ts';
import { as } from './endpoints.ts';
import type { Answer, Fields } from './endpoints.ts';
import type { Running } from './gatehouse.ts';
import type { App, Person } from './journey.ts';
import { relyingParty } from './relying-party.ts';

export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
type Policy = Partial<NonNullable<ProtocolMetadata['token_exchange']>>;

export interface Exchanging {
  front: App;
  back: App;
  /** The program that exchanges. */
  service: App;
  /** An app with a token of the person for the front API. */
  subjectToken(scope?: string): Promise<string>;
  exchange(subject_token: string, fields?: Fields, by?: App): Promise<Answer>;
}

export async function exchanging(gatehouse: Running, person: Person, policy: Policy = {}): Promise<Exchanging> {
  const front = await gatehouse.app({ type: 'api', name: 'Front', scope: 'notes:read notes:write' });
  const back = await gatehouse.app({ type: 'api', name: 'Back', scope: 'notes:read notes:write notes:purge' });
  const service = await gatehouse.app({
    type: 'service',
    name: 'Gateway',
    protocol: {
      grant_types: ['client_credentials', TOKEN_EXCHANGE],
      token_exchange: { from: [front.resource!], to: [back.resource!], impersonation: false, ...policy },
    },
  });
  const rp = await relyingParty(gatehouse, await gatehouse.app());
  return {
    front,
    back,
    service,
    async subjectToken(scope = 'openid notes:read') {
      return (await rp.signIn(person, { scope, resource: front.resource! })).access_token;
    },
    exchange: (subject_token, fields = {}, by = service) =>
      as(gatehouse, by).token({
        grant_type: TOKEN_EXCHANGE,
        subject_token,
        subject_token_type: ACCESS_TOKEN,
        resource: back.resource!,
        ...fields,
      }),
  };
}
