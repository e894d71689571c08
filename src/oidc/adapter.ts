import { errors } from 'oidc-provider';
import type { Adapter } from 'oidc-provider';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { ANSWERED_ONCE, answeredOnce } from './answered-once.ts';
import type { ClientDirectory } from './client-directory.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import type { Restarts } from './restarts.ts';
import { revokesOnlyOneToken } from './revocation.ts';

interface Needs {
  records: SealedRecords;
  directory: ClientDirectory;
  refreshTokens: RefreshTokens;
  restarts: Pick<Restarts, 'interactions'>;
}

const readOnly = async () => {
  throw new Error('clients are registered through the clients room');
};

function clientAdapter(directory: ClientDirectory): Adapter {
  return {
    find: (id) => directory.metadata(id),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    upsert: readOnly,
    consume: readOnly,
    destroy: readOnly,
    revokeByGrantId: readOnly,
  };
}

function recordAdapter(kind: string, records: SealedRecords): Adapter {
  return {
    upsert: (id, payload, ttl) => records.upsert(kind, id, payload, ttl),
    find: (id) => records.find(kind, id),
    findByUid: (uid) => records.findByUid(uid),
    findByUserCode: (userCode) => records.findByUserCode(userCode),
    destroy: (id) => (kind === 'Grant' ? records.revokeGrant(id, { withGrant: true }) : records.destroy(kind, id)),

    /** The library saw the record unused, and so may many others at once: only one caller gets past this line. */
    async consume(id) {
      if (await records.consume(kind, id)) return;
      // A code sent twice was overheard: what the first sender got dies too (RFC 6749, section 4.1.2).
      const grantId =
        kind === 'AuthorizationCode' || ANSWERED_ONCE.has(kind) ? (await records.find(kind, id))?.grantId : undefined;
      if (grantId !== undefined) await records.revokeGrant(grantId, { withGrant: true });
      throw new errors.InvalidGrant(`${kind} was used by another request at the same moment`);
    },

    async revokeByGrantId(grantId) {
      if (!revokesOnlyOneToken()) await records.revokeGrant(grantId, { withGrant: false });
    },
  };
}

/** The library's storage adapter over our stores: one adapter per model name. */
export const createAdapterFactory =
  ({ records, directory, refreshTokens, restarts }: Needs) =>
  (model: string): Adapter => {
    if (model === 'Client') return clientAdapter(directory);
    const adapter = recordAdapter(model, records);
    if (ANSWERED_ONCE.has(model)) return { ...adapter, ...answeredOnce(model, records) };
    if (model === 'Interaction') return { ...adapter, ...restarts.interactions };
    return model === 'RefreshToken' ? { ...adapter, ...refreshTokens.adapter } : adapter;
  };
