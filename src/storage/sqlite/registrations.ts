import type { InitialToken, Registration, RegistrationStore } from '../../clients/registrations.ts';
import type { Connection } from './connect.ts';

const TOKEN = 'id, name, token_hash, created_at, expires_at, most_uses, uses';
const REGISTRATION = 'client_id, token_hash, initial_token, created_at, used_at';

export function registrationStore({
  everyday,
  durable,
}: {
  everyday: Connection;
  durable: Connection;
}): RegistrationStore {
  const addToken = durable.prepare(`INSERT INTO registration_tokens (${TOKEN}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const useToken = durable.prepare(
    `UPDATE registration_tokens SET uses = uses + 1
     WHERE token_hash = ? AND (most_uses IS NULL OR uses < most_uses) AND (expires_at IS NULL OR expires_at > ?)`,
  );
  const byHash = durable.prepare(`SELECT ${TOKEN} FROM registration_tokens WHERE token_hash = ?`);
  const giveBack = durable.prepare('UPDATE registration_tokens SET uses = uses - 1 WHERE id = ? AND uses > 0');
  const tokens = everyday.prepare(`SELECT ${TOKEN} FROM registration_tokens ORDER BY created_at, id`);
  const removeToken = durable.prepare('DELETE FROM registration_tokens WHERE id = ?');
  const add = durable.prepare(`INSERT INTO registrations (${REGISTRATION}) VALUES (?, ?, ?, ?, ?)`);
  const find = everyday.prepare(`SELECT ${REGISTRATION} FROM registrations WHERE client_id = ?`);
  const replace = durable.prepare('UPDATE registrations SET token_hash = ? WHERE client_id = ? AND token_hash = ?');
  const noteUse = everyday.prepare('UPDATE registrations SET used_at = ? WHERE client_id = ? AND used_at < ?');
  const unused = everyday.prepare(
    `SELECT ${REGISTRATION} FROM registrations WHERE used_at < ? ORDER BY used_at LIMIT ?`,
  );
  const remove = durable.prepare('DELETE FROM registrations WHERE client_id = ?');
  return {
    addToken: async ({ id, name, token_hash, created_at, expires_at, most_uses, uses }) =>
      void addToken.run(id, name, token_hash, created_at, expires_at, most_uses, uses),
    useToken: async (tokenHash, now) =>
      useToken.run(tokenHash, now) > 0 ? (byHash.get(tokenHash) as InitialToken | undefined) : undefined,
    giveBackUse: async (id) => void giveBack.run(id),
    listTokens: async () => tokens.all() as unknown as InitialToken[],
    removeToken: async (id) => removeToken.run(id) > 0,
    add: async ({ client_id, token_hash, initial_token, created_at, used_at }) =>
      void add.run(client_id, token_hash, initial_token, created_at, used_at),
    find: async (clientId) => find.get(clientId) as Registration | undefined,
    replaceTokenHash: async (clientId, from, to) => replace.run(to, clientId, from) > 0,
    noteUse: async (clientId, at) => void noteUse.run(at, clientId, at),
    listUnused: async (before, limit) => unused.all(before, limit) as unknown as Registration[],
    remove: async (clientId) => remove.run(clientId) > 0,
  };
}
