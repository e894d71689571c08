import type { Counter, CounterStore } from '../../limits/store.ts';
import type { Connection } from './connect.ts';
import type { GroupCommit } from './group-commit.ts';

/**
 * @param everyday writes with `synchronous` NORMAL: a count lost at a power cut is a try given back.
 * @param group the group commit of `everyday`.
 */
export function counterStore(everyday: Connection, group: GroupCommit): CounterStore {
  const increment = everyday.prepare(
    `INSERT INTO counters (key, count, expires_at, owner) VALUES (?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET owner = excluded.owner,
       count = excluded.count + iif(expires_at > ?, count, 0),
       expires_at = iif(expires_at > ?, expires_at, excluded.expires_at)
     RETURNING count, expires_at`,
  );
  const giveBack = everyday.prepare(
    'UPDATE counters SET count = max(0, count - ?) WHERE key = ? AND expires_at = ? AND expires_at > ?',
  );
  const block = everyday.prepare(
    `INSERT INTO counters (key, count, expires_at, owner) VALUES (?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET count = excluded.count, expires_at = excluded.expires_at, owner = excluded.owner`,
  );
  const find = everyday.prepare('SELECT count, expires_at FROM counters WHERE key = ? AND expires_at > ?');
  const remove = everyday.prepare('DELETE FROM counters WHERE key = ? AND expires_at > ?');
  const removeByOwner = everyday.prepare('DELETE FROM counters WHERE owner = ? RETURNING expires_at');
  const sweep = everyday.prepare(
    'DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE expires_at <= ? LIMIT ?)',
  );

  return {
    increment: (key, points, windowMs, owner = null) =>
      group.write(() => {
        const now = Date.now();
        return increment.get(key, points, now + windowMs, owner, now, now) as unknown as Counter;
      }),
    giveBack: (key, points, windowEnd) => group.write(() => void giveBack.run(points, key, windowEnd, Date.now())),
    block: (key, count, windowMs, owner = null) =>
      group.write(() => {
        const expires_at = Date.now() + windowMs;
        block.run(key, count, expires_at, owner);
        return { count, expires_at };
      }),
    get: async (key) => find.get(key, Date.now()) as Counter | undefined,
    delete: (key) => group.write(() => remove.run(key, Date.now()) === 1),
    deleteByOwner: (owner) =>
      group.write(() => removeByOwner.all(owner).filter(({ expires_at }) => Number(expires_at) > Date.now()).length),
    sweep: (now, limit) => group.write(() => sweep.run(now * 1000, limit)),
  };
}
