import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reachedLevel } from '../../src/factors/levels.ts';
import type { Level, Proof, ProofMethod } from '../../src/factors/levels.ts';
import { nextFactor } from '../../src/factors/next.ts';
import type { Standing } from '../../src/factors/next.ts';

const proofs = (...methods: ProofMethod[]): Proof[] =>
  methods.map((method) => ({
    method,
    account_id: 'ada',
    at: 1,
    ...(method === 'passkey' ? { user_verified: true } : {}),
  }));
const nothing = { totp: false, passkeys: 0, recovery_codes_left: 0 };
const app = { totp: true, passkeys: 0, recovery_codes_left: 10 };
const standing = (change: Partial<Standing> = {}): Standing => ({
  policy: { policy: 'optional', required_roles: [], mailed_code: false },
  required: { firm: 1, wished: 1, by_policy: false },
  grace: false,
  skipped: false,
  proofs: proofs('password'),
  has: nothing,
  can_mail: true,
  can_enrol_passkey: false,
  ...change,
});
const firm = (level: Level, by_policy = false) => ({ firm: level, wished: level, by_policy });
const wish = (wished: Level, level: Level = 1) => ({ firm: level, wished, by_policy: level > 1 });

describe('what a sign-in still needs', () => {
  it('nothing, where one factor is enough and there is no other', () => {
    expect(nextFactor(standing())).toEqual({ step: 'enough' });
  });

  it('the authenticator app of whoever has one, or a recovery code', () => {
    expect(nextFactor(standing({ has: app }))).toEqual({ step: 'second-factor', ways: ['totp', 'recovery_code'] });
    expect(nextFactor(standing({ has: app, proofs: proofs('password', 'totp') }))).toEqual({ step: 'enough' });
    const off = { policy: 'off', required_roles: [], mailed_code: false } as const;
    expect(nextFactor(standing({ has: app, policy: off }))).toEqual({ step: 'enough' });
  });

  it('a mailed code only where the policy has it, the first proof was none, and in the place of something', () => {
    const policy = { policy: 'optional', required_roles: [], mailed_code: true } as const;
    const ways = (change: Partial<Standing>) => nextFactor(standing({ policy, ...change }));
    expect(ways({ has: app })).toMatchObject({ ways: ['totp', 'recovery_code', 'second_mailed_code'] });
    expect(ways({ has: app, can_mail: false })).toMatchObject({ ways: ['totp', 'recovery_code'] });
    expect(ways({ has: app, proofs: proofs('mailed_link') })).toMatchObject({ ways: ['totp', 'recovery_code'] });
    expect(ways({ required: firm(2) })).toMatchObject({ step: 'enrol' });
  });

  it('a factor to be added, where one is required and missing', () => {
    expect(nextFactor(standing({ required: firm(2) }))).toEqual({ step: 'enrol', kinds: ['totp'], mandatory: true });
    expect(nextFactor(standing({ required: firm(2, true), grace: true }))).toMatchObject({ mandatory: false });
    expect(nextFactor(standing({ required: firm(2, true), grace: true, skipped: true })).step).toBe('enough');
    // Time is the policy's to give, not the app's; and "not now" is no way around what is mandatory.
    expect(nextFactor(standing({ required: firm(2), grace: true, skipped: true }))).toMatchObject({ mandatory: true });
    expect(nextFactor(standing({ required: firm(2, true), skipped: true }))).toMatchObject({ mandatory: true });
  });

  it('what an app merely wishes for, unless the person would rather not', () => {
    expect(nextFactor(standing({ required: wish(2) }))).toMatchObject({ step: 'enrol', mandatory: false });
    expect(nextFactor(standing({ required: wish(2), skipped: true })).step).toBe('enough');
    expect(nextFactor(standing({ required: wish(3) })).step).toBe('enough');
    // A wish for more takes nothing from what is mandatory.
    expect(nextFactor(standing({ required: wish(3, 2), skipped: true, can_enrol_passkey: true }))).toMatchObject({
      step: 'enrol',
      mandatory: true,
    });
  });

  it('what cannot be had: a passkey where none can be added', () => {
    expect(nextFactor(standing({ required: firm(3) })).step).toBe('unmet');
    const with_app = { required: firm(3), has: app };
    expect(nextFactor(standing(with_app))).toMatchObject({ step: 'second-factor' });
    expect(nextFactor(standing({ ...with_app, proofs: proofs('password', 'totp') })).step).toBe('unmet');
    expect(nextFactor(standing({ required: firm(3), has: { ...nothing, passkeys: 1 } }))).toEqual({
      step: 'second-factor',
      ways: ['passkey'],
    });
  });

  it('the factor there is, before another one is added', () => {
    const more = { required: firm(3), can_enrol_passkey: true };
    expect(nextFactor(standing({ ...more, has: app })).step).toBe('second-factor');
    const proved = { ...more, has: app, proofs: proofs('password', 'recovery_code') };
    expect(nextFactor(standing(proved))).toEqual({ step: 'enrol', kinds: ['passkey'], mandatory: true });
  });

  it('the factor itself, where only a browser vouches for it', () => {
    const marked = { has: app, proofs: proofs('password', 'remembered_device') };
    expect(nextFactor(standing(marked)).step).toBe('enough');
    expect(nextFactor(standing({ ...marked, required: firm(3), can_enrol_passkey: true })).step).toBe('second-factor');
  });

  it('never lets in below what is firm, whatever else is the case', () => {
    const level = fc.constantFrom<Level>(1, 2, 3);
    const methods = fc.subarray<ProofMethod>(
      [
        'password',
        'federated',
        'mailed_code',
        'totp',
        'recovery_code',
        'second_mailed_code',
        'remembered_device',
        'passkey',
      ],
      { minLength: 1 },
    );
    const anything = fc.record({
      policy: fc.record({
        policy: fc.constantFrom('off' as const, 'optional' as const, 'required' as const),
        required_roles: fc.constant([]),
        mailed_code: fc.boolean(),
      }),
      required: fc
        .record({ firm: level, wished: level, by_policy: fc.boolean() })
        .map((one) => ({ ...one, wished: Math.max(one.firm, one.wished) as Level })),
      grace: fc.boolean(),
      skipped: fc.boolean(),
      proofs: methods.map((list) => proofs(...list)),
      has: fc.record({ totp: fc.boolean(), passkeys: fc.nat(2), recovery_codes_left: fc.nat(10) }),
      can_mail: fc.boolean(),
      can_enrol_passkey: fc.boolean(),
    });
    fc.assert(
      fc.property(anything, (one) => {
        if (nextFactor(one).step !== 'enough') return;
        const patient = one.grace && one.required.by_policy;
        if (!patient) expect(reachedLevel(one.proofs)).toBeGreaterThanOrEqual(one.required.firm);
        if (one.has.totp && one.policy.policy !== 'off') expect(reachedLevel(one.proofs)).toBeGreaterThanOrEqual(2);
      }),
      { numRuns: 2000 },
    );
  });
});
