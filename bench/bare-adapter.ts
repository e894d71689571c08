/**
 * The library's in-memory adapter without its two limits: it forgets all but the last thousand or two records, among them
 * the tokens of a measurement that was just interleaved with another, and its list of a grant's tokens, copied and searched
 * on every save, makes each refresh of a long chain slower than the one before. Without them bare is as fast as it can be.
 */
import type { Adapter, AdapterPayload } from 'oidc-provider';

export function createMapAdapterFactory(): (model: string) => Adapter {
  const records = new Map<string, AdapterPayload>();
  const byGrant = new Map<string, Set<string>>();
  const sessions = new Map<string, string>();

  return (model) => {
    const keyOf = (id: string) => `${model}:${id}`;
    const find = async (id: string) => records.get(keyOf(id));
    return {
      find,
      async upsert(id, payload) {
        const key = keyOf(id);
        records.set(key, payload);
        if (model === 'Session') sessions.set(payload.uid!, id);
        if (payload.grantId === undefined) return;
        const members = byGrant.get(payload.grantId);
        if (members) members.add(key);
        else byGrant.set(payload.grantId, new Set([key]));
      },
      findByUid: async (uid) => find(sessions.get(uid) ?? ''),
      findByUserCode: async () => undefined,
      async consume(id) {
        records.get(keyOf(id))!.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void records.delete(keyOf(id)),
      async revokeByGrantId(grantId) {
        for (const key of byGrant.get(grantId) ?? []) records.delete(key);
        byGrant.delete(grantId);
      },
    };
  };
}
