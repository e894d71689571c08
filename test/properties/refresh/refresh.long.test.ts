/**
 * What is true of refresh tokens however requests, crashes and ends come between one another: nobody who behaves is signed out,
 * and there is never more than one line of tokens. That these checks can fail is shown with programs that get it wrong.
 */
import fc from 'fast-check';
import { Provider } from 'oidc-provider';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MONGODB_TEST_URI, testDatabase } from '../../storage/support/test-database.ts';
import { temporaryFile } from '../../storage/support/temporary-file.ts';
import { backToNow, passTime } from '../../support/journey.ts';
import { createWorld, GRACE, numberOf } from './world.ts';
import type { Answer, Crash, Family, Mutate, Turn, World } from './world.ts';

const MOST = 50;
const LONG = 240_000;

const crashes = fc.array(fc.record<Crash>({ write: fc.integer({ min: 1, max: 12 }), done: fc.boolean() }), {
  maxLength: 4,
});
const callers = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: MOST }));

/** An app that keeps its token in one place, and tries again when it gets no answer. */
interface HonestRound {
  /** Seconds since the round before; never so many that a retry comes too late. */
  after: number;
  callers: number;
  /** How many refreshes its tabs have missed: they send the token of then, if that is recent enough. */
  late: number;
  crashes: Crash[];
}
const honestRounds = fc.array(
  fc.record<HonestRound>({
    after: fc.oneof(fc.integer({ min: 0, max: GRACE }), fc.integer({ min: 0, max: 3600 })),
    callers,
    late: fc.integer({ min: 0, max: 4 }),
    crashes,
  }),
  { minLength: 1, maxLength: 5 },
);

interface Act {
  act: 'refresh' | 'replay' | 'revoke' | 'suspend';
  /** Of a replay: how many refreshes ago its token was the newest. */
  back: number;
}
interface HostileRound {
  after: number;
  acts: Act[];
  crashes: Crash[];
}
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Act>({ act: 'refresh', back: 0 }) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }).map((back): Act => ({ act: 'replay', back })) },
  { weight: 1, arbitrary: fc.constantFrom<Act>({ act: 'revoke', back: 0 }, { act: 'suspend', back: 0 }) },
);
const hostileRounds = fc.array(
  fc.record<HostileRound>({
    after: fc.constantFrom(0, 1, GRACE - 1, GRACE, GRACE + 1, 60, 3600),
    acts: fc.oneof(fc.array(act, { minLength: 1, maxLength: 4 }), fc.array(act, { minLength: 1, maxLength: MOST })),
    crashes: fc.oneof({ weight: 2, arbitrary: fc.constant<Crash[]>([]) }, { weight: 1, arbitrary: crashes }),
  }),
  { minLength: 1, maxLength: 6 },
);

/** Steps in the order that the scheduler chooses. */
const inTurns =
  (s: fc.Scheduler): Turn =>
  async <T>(step: () => Promise<T>): Promise<T> => {
    // What a step gives is kept from the scheduler, which would repeat it all in a report.
    let outcome!: Promise<T>;
    await s.scheduleFunction(async () => {
      outcome = step();
      await outcome.catch(() => undefined);
    })();
    return outcome;
  };

/** All that was ever given for each token, as one line of tokens. */
function lineage() {
  const successors = new Map<string, string>();
  return {
    note(token: string, { status, refresh_token }: Answer) {
      if (status !== 200) return;
      const next = refresh_token!;
      expect(successors.get(token) ?? next, 'a token has one successor').toBe(next);
      expect(next.split('~')[0], 'it stays in its line').toBe(token.split('~')[0]);
      expect(numberOf(next), 'it goes on by one').toBe(numberOf(token) + 1);
      successors.set(token, next);
    },
  };
}

async function honest(world: World, s: fc.Scheduler, rounds: HonestRound[]): Promise<void> {
  passTime(0);
  const family = await world.family();
  const line = lineage();
  let held = family.first;
  /** Tokens that were used, the last one first. */
  const before: { token: string; usedAt: number }[] = [];
  /** When the token that the app holds was first sent, if that was not answered. */
  let sentAt: number | undefined;

  for (const round of [...rounds, { after: 0, callers: 1, late: 0, crashes: [] }]) {
    const left = sentAt === undefined ? Infinity : GRACE - 1 - (Date.now() - sentAt) / 1000;
    passTime(Math.min(round.after, left));
    const missed = sentAt === undefined && round.late > 0 ? before[round.late - 1] : undefined;
    const isLate = missed !== undefined && Date.now() - missed.usedAt < GRACE * 1000;
    const token = isLate ? missed.token : held;
    world.begin(inTurns(s), round.crashes);
    const answers = await s.waitFor(
      Promise.all(Array.from({ length: round.callers }, (_, index) => family.present(token, index))),
    );
    for (const answer of answers) {
      line.note(token, answer);
      // Nobody is refused; only where the store failed there is no answer.
      if (answer.status !== 200)
        expect([round.crashes.length > 0, answer.error], 'nobody is refused').toEqual([
          true,
          'temporarily_unavailable',
        ]);
    }
    if (isLate) continue;
    sentAt ??= Date.now();
    const next = answers.find(({ status }) => status === 200)?.refresh_token;
    if (next === undefined) continue;
    before.unshift({ token: held, usedAt: sentAt });
    held = next;
    sentAt = undefined;
  }
  expect(family.told()).toBe(0);
}

/** Sends what the app holds, what it held, and ends; whatever comes of it, the family stays one, and once ended it is dead. */
async function hostile(world: World, s: fc.Scheduler, rounds: HostileRound[]): Promise<void> {
  passTime(0);
  const family = await world.family();
  const line = lineage();
  const known = [family.first];
  const accessTokens: string[] = [];
  /** When each token was first used, by its number. */
  const usedAt = new Map<number, number>();
  let last = 0;
  let crashed = false;
  let mustEnd = false;

  const tokenOf = (one: Act) => known[Math.max(0, known.length - 1 - one.back)]!;
  const isReuse = (token: string, newest: number) =>
    numberOf(token) < newest && Date.now() - (usedAt.get(numberOf(token)) ?? -Infinity) >= GRACE * 1000;

  async function carryOut(one: Act, index: number): Promise<void> {
    const token = tokenOf(one);
    if (one.act === 'revoke') return family.revoke(token, index);
    if (one.act === 'suspend') return family.suspend(index);
    const answer = await family.present(token, index);
    line.note(token, answer);
    if (answer.access_token !== undefined) accessTokens.push(answer.access_token);
    const next = answer.refresh_token;
    if (next !== undefined && !known.includes(next)) known.push(next);
  }

  for (const round of rounds) {
    passTime(round.after);
    const newest = await family.newest();
    const ends =
      newest !== undefined &&
      round.acts.some((one) => one.act === 'revoke' || one.act === 'suspend' || isReuse(tokenOf(one), newest));
    crashed ||= round.crashes.length > 0;
    world.begin(inTurns(s), round.crashes);
    await s.waitFor(Promise.all(round.acts.map(carryOut)));

    const now = await family.newest();
    for (let number = last; number < (now ?? 0); number += 1) usedAt.set(number, Date.now());
    if (now !== undefined) expect(now, 'a line never goes back').toBeGreaterThanOrEqual(last);
    last = now ?? last;
    if (ends && round.crashes.length === 0) mustEnd = true;
    world.begin((step) => step());
    if (mustEnd) await expectDead(family, known, accessTokens);
    if (!crashed) expect(family.told(), 'somebody is told once').toBeLessThanOrEqual(1);
  }

  // Everybody who ever had a token comes once more, when all windows are over and nothing fails.
  passTime(60);
  world.begin((step) => step());
  const everybody = await Promise.all(known.map((token, index) => family.present(token, index)));
  everybody.forEach((answer, index) => line.note(known[index]!, answer));
  expect(
    new Set(everybody.flatMap(({ refresh_token }) => refresh_token ?? [])).size,
    'one line is left',
  ).toBeLessThanOrEqual(1);
  if (known.length === 1) return;
  await expectDead(family, known, accessTokens);
  const otherwise = rounds.some(({ acts }) => acts.some(({ act: what }) => what === 'revoke' || what === 'suspend'));
  if (!otherwise) expect(family.told(), 'somebody is told').toBeGreaterThan(0);
  if (!crashed) expect(family.told(), 'somebody is told once').toBeLessThanOrEqual(1);
}

async function expectDead(family: Family, known: string[], accessTokens: string[]): Promise<void> {
  for (const token of known.slice(-3).reverse())
    expect((await family.present(token, 0)).status, 'nothing is refreshed any more').toBe(400);
  for (const token of accessTokens.slice(-3))
    expect(await family.isAlive(token, 1), 'nothing is open any more').toBe(false);
}

type Property = (world: World, s: fc.Scheduler, rounds: never) => Promise<void>;
const check = (world: World, property: Property, rounds: fc.Arbitrary<unknown>, numRuns: number) =>
  fc.check(
    fc.asyncProperty(fc.scheduler(), rounds, async (s, given) => {
      try {
        await property(world, s, given as never);
      } finally {
        world.begin((step) => step());
        backToNow();
      }
    }),
    { numRuns, endOnFailure: true },
  );

const STORES = ['SQLite', ...(MONGODB_TEST_URI ? ['MongoDB'] : [])];

function emptyStore(store: string): { url: string; drop: () => Promise<void> } {
  if (store === 'MongoDB') return testDatabase();
  const { file, remove } = temporaryFile();
  return { url: `sqlite:${file}`, drop: async () => remove() };
}

describe.each(STORES)('refresh tokens on %s', (store) => {
  const runs = store === 'SQLite' ? 40 : 12;
  let place: ReturnType<typeof emptyStore>;
  let world: World;
  beforeAll(async () => {
    place = emptyStore(store);
    world = await createWorld(place.url);
  });
  afterAll(async () => {
    await world.close();
    await place.drop();
  });
  afterEach(backToNow);

  it('never sign out an app that tries again within the window', { timeout: LONG }, async () => {
    const result = await check(world, honest, honestRounds, runs);
    expect(result.failed, `${String(result.errorInstance)} ${fc.defaultReportMessage(result)}`).toBe(false);
  });

  it('never make two lines, and end as one', { timeout: LONG }, async () => {
    const result = await check(world, hostile, hostileRounds, runs);
    expect(result.failed, `${String(result.errorInstance)} ${fc.defaultReportMessage(result)}`).toBe(false);
  });
});

interface Wrong {
  property: Property;
  rounds: fc.Arbitrary<unknown>;
  /** What it is caught by. */
  by: RegExp;
  mutate?: Mutate;
  grace?: number;
}
interface Rotating {
  jti: string;
}

/** Has every refresh give what `give` makes of the token that was sent, and of the way to begin a new line. */
const giving =
  (give: (sent: Rotating, anew: () => string) => string): Mutate =>
  ({ provider }) => {
    const { prototype } = provider.RefreshToken as unknown as { prototype: { generateTokenId(): string } };
    const generate = prototype.generateTokenId;
    prototype.generateTokenId = () => {
      const entities = Provider.ctx?.oidc.entities as { RotatedRefreshToken?: Rotating } | undefined;
      const sent = entities?.RotatedRefreshToken;
      if (!entities || !sent) return generate();
      delete entities.RotatedRefreshToken;
      return give(sent, generate);
    };
  };

const wrongFor = {
  honest: { property: honest, rounds: honestRounds },
  hostile: { property: hostile, rounds: hostileRounds },
};
const WRONG: Record<string, Wrong> = {
  'makes a sibling for each caller': {
    ...wrongFor.honest,
    by: /one successor|in its line/,
    mutate: giving((_sent, anew) => anew()),
  },
  'hands back the token it was shown': {
    ...wrongFor.honest,
    by: /goes on by one/,
    mutate: giving(({ jti }) => jti),
  },
  'knows no window': { ...wrongFor.honest, by: /nobody is refused/, grace: 0 },
  'has a window that is too long': {
    ...wrongFor.hostile,
    by: /nothing is refreshed any more|one line is left/,
    grace: 60,
  },
  'ends nothing when a used token comes': {
    ...wrongFor.hostile,
    by: /nothing is refreshed any more|one successor|one line is left/,
    mutate: ({ provider }) => {
      const { adapter } = provider.RefreshToken as unknown as { adapter: { consume(): Promise<void> } };
      adapter.consume = async () => undefined;
    },
  },
  'ends refreshing but not what was given': {
    ...wrongFor.hostile,
    by: /nothing is (open|refreshed) any more/,
    mutate: ({ records }) => void Object.assign(records, { revokeGrant: async () => undefined }),
  },
  'writes without comparing': {
    ...wrongFor.hostile,
    by: /never goes back|told once|somebody is told|nothing is (open|refreshed)|one line is left/,
    mutate: ({ records }) =>
      void Object.assign(records, {
        async replace(kind: string, id: string, _seen: unknown, payload: object, ttl: number) {
          await records.upsert(kind, id, payload as never, ttl);
          return true;
        },
      }),
  },
};

describe('these checks catch a program that', () => {
  afterEach(backToNow);

  it.each(Object.entries(WRONG))('%s', { timeout: LONG }, async (_what, { property, rounds, by, ...wrong }) => {
    const place = emptyStore('SQLite');
    const world = await createWorld(place.url, wrong);
    const result = await check(world, property, rounds, 200);
    await world.close();
    await place.drop();
    expect(result.failed).toBe(true);
    expect(String(result.errorInstance)).toMatch(by);
  });
});
