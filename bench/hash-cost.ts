/** What the argon2 hash of a login costs by itself, as the server runs it: two at once, at the configuration's cost. */
import argon2 from 'argon2';

const COST = { type: argon2.argon2id, memoryCost: 47_104, timeCost: 1, parallelism: 1 } as const;
const PASSWORD = 'tr0ubadour and staple';
const AT_ONCE = 2;

/** @returns a function that gives the CPU of one verification in milliseconds, the mean of `count` per lane. */
export async function createHashCost(): Promise<(count: number) => Promise<number>> {
  const hash = await argon2.hash(PASSWORD, COST);
  return async (count) => {
    const before = process.cpuUsage();
    const lane = async () => {
      for (let i = 0; i < count; i += 1) await argon2.verify(hash, PASSWORD);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / (count * AT_ONCE);
  };
}
