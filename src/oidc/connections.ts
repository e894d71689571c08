/** The apps that act in a person's name: those they allowed something, and those that need not ask. */
import type { Consent } from '../consents/consent.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { Payload, SealedRecords } from '../protocol/sealed-records.ts';
import type { Access } from './access.ts';

export interface Connection {
  client_id: string;
  /** Undefined where the app is first-party, or its consent was withdrawn in another way and a grant goes on. */
  consent: Consent | undefined;
  /** ISO 8601 or epoch seconds. */
  since: string | number;
  last_used: string | number;
}

export interface Connections {
  /** The one used last comes first. */
  list(accountId: string): Promise<Connection[]>;
  /** Forgets what was allowed, and ends the app's tokens. @returns whether there was anything. */
  end(accountId: string, clientId: string): Promise<boolean>;
}

interface Needs {
  consents: Pick<ConsentStore, 'listByAccount'>;
  records: Pick<SealedRecords, 'listByAccount'>;
  access: Pick<Access, 'withdrawConsent'>;
}

const MS = 1000;
const millis = (at: string | number): number => (typeof at === 'number' ? at * MS : Date.parse(at));

function ofGrants(client_id: string, grants: Payload[]): Connection {
  const issued = grants.map((grant) => Number(grant['iat']));
  return { client_id, consent: undefined, since: Math.min(...issued), last_used: Math.max(...issued) };
}

export function createConnections({ consents, records, access }: Needs): Connections {
  async function list(accountId: string): Promise<Connection[]> {
    const [allowed, grants] = await Promise.all([
      consents.listByAccount(accountId),
      records.listByAccount('Grant', accountId),
    ]);
    const known = new Set(allowed.map(({ client_id }) => client_id));
    const others = Map.groupBy(
      grants.filter((grant) => !known.has(String(grant['clientId']))),
      (grant) => String(grant['clientId']),
    );
    const all: Connection[] = [
      ...allowed.map((consent) => ({
        client_id: consent.client_id,
        consent,
        since: consent.created_at,
        last_used: consent.last_used_at ?? consent.updated_at,
      })),
      ...[...others].map(([client_id, own]) => ofGrants(client_id, own)),
    ];
    return all.toSorted((a, b) => millis(b.last_used) - millis(a.last_used));
  }

  return {
    list,
    async end(accountId, clientId) {
      const connected = (await list(accountId)).some(({ client_id }) => client_id === clientId);
      if (connected) await access.withdrawConsent(accountId, clientId);
      return connected;
    },
  };
}
