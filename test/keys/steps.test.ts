/** What is due when, by clocks that are right and clocks that are not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RotationPolicy } from '../../src/keys/policy.ts';
import type { KeyState, SigningKey } from '../../src/keys/signing-key.ts';
import { dueNow } from '../../src/keys/steps.ts';
import type { SeenFor } from '../../src/keys/steps.ts';

const POLICY: RotationPolicy = {
  algorithms: ['ES256'],
  rotation: 1000,
  lead: 100,
  cache: 10,
  retirement: 500,
  longest: 60,
};
const START = Date.parse('2026-01-01T00:00:00.000Z');
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();
const always: SeenFor = () => Infinity;
let made = 0;

function aKey(state: KeyState, overrides: Partial<SigningKey> = {}): SigningKey {
  const [created_at, signs_at] = [at(0), at(0)];
  const stopped_at = state === 'retiring' ? at(0) : null;
  const ends_at = state === 'retiring' ? at(500) : null;
  const id = `key-${(made += 1)}`;
  const kept = { public_jwk: { kty: 'EC' }, held: 'store', sealed: 'c2VhbGVk', compromised: false } as const;
  return { id, alg: 'ES256', state, created_at, signs_at, stopped_at, ends_at, ...kept, ...overrides };
}

/** What is due `seconds` after the start. */
const due = (keys: SigningKey[], seconds: number, seenFor = always, policy = POLICY) =>
  dueNow(keys, START + seconds * 1000, policy, seenFor);
const states = (keys: SigningKey[]) => keys.map(({ state }) => state);

describe('a rotation', () => {
  it('begins on an empty store with a key that signs at once', () => {
    expect(due([], 0).make).toEqual([{ alg: 'ES256', state: 'active', signs_at: at(0) }]);
  });

  it('publishes the next key a lead before the active one is old enough, and once', () => {
    const active = aKey('active');
    expect(due([active], 899).make).toEqual([]);
    expect(due([active], 900).make).toEqual([{ alg: 'ES256', state: 'next', signs_at: at(1000) }]);
    expect(due([active, aKey('next', { signs_at: at(1000) })], 950).make).toEqual([]);
  });

  it('has the next key sign when its time has come, and the one before retire with it', () => {
    const keys = [aKey('active'), aKey('next', { created_at: at(900), signs_at: at(1000) })];
    expect(due(keys, 999).changes).toEqual([]);
    const { keys: after } = due(keys, 1000);
    expect(states(after)).toEqual(['retiring', 'active']);
    expect(after[0]).toMatchObject({ stopped_at: at(1000), ends_at: at(1500) });
    expect(after[1]).toMatchObject({ signs_at: at(1000) });
  });

  it('removes what has retired for long enough, private part and all', () => {
    const keys = [aKey('active'), aKey('retiring')];
    expect(states(due(keys, 499).keys)).toEqual(['active', 'retiring']);
    expect(due(keys, 500).keys[1]).toMatchObject({ state: 'removed', sealed: null, compromised: false });
  });

  it('never begins by itself where the operator wants to say when', () => {
    expect(due([aKey('active')], 1e9, always, { ...POLICY, rotation: 0 }).make).toEqual([]);
  });

  it('remembers the last ten removed keys', () => {
    const removed = Array.from({ length: 12 }, (_, i) => aKey('removed', { ends_at: at(i), sealed: null }));
    const { keys } = due([...removed, aKey('active')], 20);
    expect(keys).toHaveLength(11);
    expect(keys.map(({ id }) => id)).not.toContain(removed[0]!.id);
  });
});

describe('the algorithms of the configuration', () => {
  it('get a key that signs at once, as those that are registered with it would fail without', () => {
    const { make } = due([aKey('active')], 5, always, { ...POLICY, algorithms: ['ES256', 'EdDSA', 'PS256'] });
    expect(make).toEqual([
      { alg: 'EdDSA', state: 'active', signs_at: at(5) },
      { alg: 'PS256', state: 'active', signs_at: at(5) },
    ]);
  });

  it.each([
    ['that is to sign access tokens', [aKey('active')], ['EdDSA', 'ES256']],
    ['that had one before', [aKey('active'), aKey('retiring', { alg: 'EdDSA' })], ['ES256', 'EdDSA']],
  ] as const)(
    'get a key that is published for as long as caches last before it signs: one %s',
    (_, keys, algorithms) => {
      const { make } = due([...keys], 5, always, { ...POLICY, algorithms });
      expect(make).toEqual([{ alg: 'EdDSA', state: 'next', signs_at: at(17) }]);
    },
  );

  it('wait, all that come before the one that signed access tokens until now', () => {
    const { make } = due([aKey('active')], 5, always, { ...POLICY, algorithms: ['EdDSA', 'PS256', 'ES256'] });
    expect(make.map(({ alg, state }) => [alg, state])).toEqual([
      ['EdDSA', 'next'],
      ['PS256', 'next'],
    ]);
  });

  it('that are in it no more retire, and what was to come of them goes', () => {
    const keys = [aKey('active'), aKey('active', { alg: 'EdDSA' }), aKey('next', { alg: 'EdDSA' })];
    expect(states(due(keys, 5).keys)).toEqual(['active', 'retiring', 'removed']);
  });
});

describe('a clock that is wrong', () => {
  const rotating = () => [aKey('active'), aKey('next', { created_at: at(900), signs_at: at(1000) })];
  const never: SeenFor = () => 0;

  it('lets no key sign that this process has not seen published for as long as caches last', () => {
    expect(due(rotating(), 1e9, never).changes).toEqual([]);
    expect(due(rotating(), 1e9, () => 11).changes).toEqual([]);
    expect(states(due(rotating(), 1e9, () => 12).keys)).toEqual(['retiring', 'active']);
  });

  it('removes no key that this process has not seen retire for as long as a token lives', () => {
    const keys = [aKey('active', { signs_at: at(1e9) }), aKey('retiring')];
    expect(due(keys, 1e9, () => 59).changes).toEqual([]);
    expect(states(due(keys, 1e9, () => 60).keys)).toEqual(['active', 'removed']);
  });

  it('leaves no date behind that would stop the rotation: what lies ahead is counted from now', () => {
    const ahead = { created_at: at(1e8), signs_at: at(1e8 + 100) };
    expect(due([aKey('active'), aKey('next', ahead)], 50).keys[1]).toMatchObject({
      created_at: at(50),
      signs_at: at(150),
    });
    expect(due([aKey('active', ahead)], 50).keys[0]).toMatchObject({ signs_at: at(50) });
    const retiring = due([aKey('active'), aKey('retiring', { ends_at: at(1e8) })], 50).keys[1];
    expect(retiring).toMatchObject({ state: 'retiring', ends_at: at(550) });
  });
});

/** A store and processes whose clocks are set at random; the truth is a clock that nobody sets. */
it('whatever the clocks say, nothing signs before it was published for a cache, and nothing goes before its tokens', () => {
  const step = fc.record({
    process: fc.integer({ min: 0, max: 2 }),
    passes: fc.integer({ min: 0, max: 200 }),
    jump: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -100_000, max: 100_000 })),
    restarts: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let truth = 0;
      let ring: SigningKey[] = [];
      const clocks = [0, 0, 0];
      const seen = [0, 1, 2].map(() => new Map<string, number>());
      const since = new Map<string, number>();
      for (const { process, passes, jump, restarts } of steps) {
        truth += passes;
        clocks[process]! += jump;
        const own = restarts ? new Map<string, number>() : seen[process]!;
        seen[process] = own;
        const place = ({ id, state }: SigningKey) => `${id} ${state}`;
        const look = () => {
          for (const key of ring) if (!own.has(place(key))) own.set(place(key), truth);
        };
        look();
        const before = ring;
        const now = START + (truth + clocks[process]!) * 1000;
        const next = dueNow(ring, now, POLICY, (key) => truth - own.get(place(key))!);
        const fresh = next.make.map(({ alg, ...rest }) =>
          aKey('next', { alg, created_at: new Date(now).toISOString(), ...rest }),
        );
        ring = [...next.keys, ...fresh];
        look();
        for (const key of ring) {
          const was = before.find(({ id }) => id === key.id);
          if (key.state === 'active' && was?.state === 'next')
            expect(truth - since.get(`${key.id} next`)!).toBeGreaterThanOrEqual(POLICY.cache + 2);
          if (key.state === 'removed' && was && was.state !== 'removed') {
            expect(was.state).toBe('retiring');
            expect(truth - since.get(`${key.id} retiring`)!).toBeGreaterThanOrEqual(POLICY.longest);
          }
          if (!since.has(place(key))) since.set(place(key), truth);
        }
        expect(ring.filter(({ state }) => state === 'active')).toHaveLength(1);
      }
    }),
  );
});
