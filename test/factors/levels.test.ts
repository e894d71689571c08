import { describe, expect, it } from 'vitest';
import { ACR, acrOf, acrToTell, amrOf, isUnknown, reachedLevel, requiredLevel } from '../../src/factors/levels.ts';
import type { Asked, Policy, Proof, ProofMethod } from '../../src/factors/levels.ts';

const proof = (method: ProofMethod, more: Partial<Proof> = {}): Proof => ({
  method,
  account_id: 'ada',
  at: 1,
  ...more,
});
const proofs = (...methods: ProofMethod[]) => methods.map((method) => proof(method));
const passkey = proof('passkey', { user_verified: true, amr: ['hwk', 'user'] });

describe('what proofs add up to', () => {
  it.each<[ProofMethod[], number, string[]]>([
    [[], 0, []],
    [['password'], 1, ['pwd']],
    [['mailed_code'], 1, ['otp']],
    [['password', 'totp'], 2, ['pwd', 'otp', 'mfa']],
    [['password', 'recovery_code'], 2, ['pwd', 'otp', 'mfa']],
    [['password', 'second_mailed_code'], 2, ['pwd', 'otp', 'mfa']],
    [['password', 'remembered_device'], 2, ['pwd', 'mfa']],
    [['mailed_link', 'totp'], 2, ['otp', 'mfa']],
    [['federated', 'totp'], 2, ['otp', 'mfa']],
    // One mailbox, read twice; and one that may be what signs in elsewhere.
    [['mailed_code', 'second_mailed_code'], 1, ['otp']],
    [['federated', 'second_mailed_code'], 1, ['otp']],
    // A mailed code that was asked for as the first proof is none as the second.
    [['password', 'mailed_code'], 1, ['pwd', 'otp']],
    [['password', 'passkey'], 3, ['pwd', 'pop', 'mfa']],
    [['passkey'], 1, ['pop']],
    [['totp', 'recovery_code'], 1, ['otp']],
  ])('%j is level %i', (methods, level, amr) => {
    expect(reachedLevel(proofs(...methods))).toBe(level);
    expect(amrOf(proofs(...methods))).toEqual(amr);
  });

  it('a passkey that verified its person is two factors by itself, and phishing-resistant', () => {
    expect(reachedLevel([passkey])).toBe(3);
    expect(acrOf([passkey])).toBe(ACR[3]);
    expect(amrOf([passkey])).toEqual(['hwk', 'user', 'mfa']);
  });

  it('a sign-in elsewhere is one factor of which we say nothing, unless the upstream is trusted to say more', () => {
    expect(acrOf(proofs('federated'))).toBeUndefined();
    expect(amrOf(proofs('federated'))).toEqual([]);
    expect(reachedLevel([proof('federated', { amr: ['pwd', 'mfa'] })])).toBe(2);
    expect(acrOf([proof('federated', { amr: ['pwd', 'mfa'] })])).toBe(ACR[2]);
    expect(reachedLevel([proof('federated', { acr: 'phr' })])).toBe(3);
    expect(acrOf([proof('federated', { acr: 'urn:theirs' })])).toBe('urn:theirs');
    expect(acrOf([proof('federated', { acr: 'urn:theirs' }), proof('totp')])).toBe(ACR[2]);
  });
});

describe('which level is required', () => {
  const policy = (change: Partial<Policy> = {}): Policy => ({
    policy: 'optional',
    required_roles: ['admin'],
    mailed_code: false,
    ...change,
  });
  const ask = (change: Partial<Asked> = {}): Asked => ({ acr_values: [], default_acr_values: [], ...change });
  const one = { firm: 1, wished: 1, by_policy: false };
  const two = { firm: 2, wished: 2, by_policy: true };

  it('follows the policy, and the roles of the person', () => {
    expect(requiredLevel(policy(), [], ask())).toEqual(one);
    expect(requiredLevel(policy(), ['admin'], ask())).toEqual(two);
    expect(requiredLevel(policy({ policy: 'off' }), ['admin'], ask())).toEqual(one);
    expect(requiredLevel(policy({ policy: 'required' }), [], ask())).toEqual(two);
  });

  it('is raised by what an app asks for, and never lowered', () => {
    const required = policy({ policy: 'required' });
    expect(requiredLevel(policy(), [], ask({ acr_values: [ACR[2]] }))).toMatchObject({ firm: 1, wished: 2 });
    expect(requiredLevel(policy(), [], ask({ essential: [ACR[3]] }))).toMatchObject({ firm: 3, wished: 3 });
    expect(requiredLevel(required, [], ask({ acr_values: [ACR[1]] }))).toEqual(two);
    expect(requiredLevel(required, [], ask({ acr_values: [ACR[3]] }))).toMatchObject({ firm: 2, wished: 3 });
    expect(requiredLevel(policy(), [], ask({ acr_values: [ACR[1]], default_acr_values: [ACR[2]] })).firm).toBe(2);
    // `acr_values` beside an essential claim takes nothing from it.
    expect(requiredLevel(policy(), [], ask({ acr_values: [ACR[1]], essential: [ACR[2]] })).firm).toBe(2);
  });

  it('gives time only where nobody but the policy asks', () => {
    const required = policy({ policy: 'required' });
    expect(requiredLevel(required, [], ask()).by_policy).toBe(true);
    expect(requiredLevel(required, [], ask({ default_acr_values: [ACR[2]] })).by_policy).toBe(false);
    expect(requiredLevel(required, [], ask({ essential: [ACR[2]] })).by_policy).toBe(false);
  });

  it('takes several values as alternatives, and those of others as none', () => {
    expect(requiredLevel(policy(), [], ask({ acr_values: [ACR[3], ACR[2]] })).wished).toBe(2);
    expect(requiredLevel(policy(), [], ask({ acr_values: ['urn:theirs', ACR[2]] })).wished).toBe(2);
    expect(requiredLevel(policy(), [], ask({ acr_values: ['urn:theirs'] }))).toEqual(one);
    expect(isUnknown(ask({ essential: ['urn:theirs'] }))).toBe(true);
    expect(isUnknown(ask({ essential: ['urn:theirs', ACR[2]] }))).toBe(false);
  });

  it('is answered with the value that was asked for, where a stronger one was reached', () => {
    expect(acrToTell([ACR[1]], proofs('password', 'totp'))).toBe(ACR[1]);
    expect(acrToTell([ACR[3], ACR[2]], proofs('password', 'totp'))).toBe(ACR[2]);
    expect(acrToTell([], proofs('password', 'totp'))).toBe(ACR[2]);
    expect(acrToTell([ACR[2]], proofs('password'))).toBe(ACR[1]);
  });
});
