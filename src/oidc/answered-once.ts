/**
 * Requests that a person answers elsewhere: device codes (RFC 8628) and backchannel authentication requests (CIBA). Every change of one is
 * compare-and-set on what the request under way has read, so that of two people who answer at once one does.
 */
import { errors, Provider } from 'oidc-provider';
import type { Adapter, KoaContextWithOIDC } from 'oidc-provider';
import type { Payload, SealedRecords } from '../protocol/sealed-records.ts';

export const ANSWERED_ONCE = new Set(['DeviceCode', 'BackchannelAuthenticationRequest']);

const READ = Symbol('read');
type Reading = KoaContextWithOIDC & { [READ]?: Map<string, Payload> };

function readings(): Map<string, Payload> {
  const ctx = Provider.ctx as Reading | undefined;
  if (!ctx) return new Map();
  return (ctx[READ] ??= new Map<string, Payload>());
}

function note(payload: Payload | undefined): Payload | undefined {
  if (payload) readings().set(String(payload['jti']), payload);
  return payload;
}

export function answeredOnce(
  kind: string,
  records: SealedRecords,
): Pick<Adapter, 'find' | 'findByUserCode' | 'upsert'> {
  return {
    find: async (id) => note(await records.find(kind, id)),
    findByUserCode: async (userCode) => note(await records.findByUserCode(userCode)),
    async upsert(id, payload, ttl) {
      const seen = readings().get(id);
      if (!seen) return records.upsert(kind, id, payload, ttl);
      if (!(await records.replace(kind, id, seen, payload, ttl)))
        throw new errors.InvalidRequest('the request was answered by somebody else at the same moment');
      readings().set(id, payload);
    },
  };
}
