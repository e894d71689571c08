import { expect, test } from 'vitest';
import { atOnce } from './at-once.ts';
import type { Use } from './contract.ts';
import { anIdentity } from './samples.ts';

export function identityContract(use: Use): void {
  const identities = () => use().storage.identities;

  test('an identity comes back as it was given', async () => {
    const [identity, without] = [anIdentity({ subject: 'a.b$c|ü' }), anIdentity({ email: null })];
    for (const one of [identity, without]) await identities().insert(one);
    expect(await identities().find(identity)).toEqual(identity);
    expect(await identities().find(without)).toEqual(without);
  });

  test('an identity is nobody else’s: another provider, issuer or subject finds none', async () => {
    const identity = anIdentity();
    await identities().insert(identity);
    expect(await identities().find({ ...identity, provider: 'acme' })).toBeUndefined();
    expect(await identities().find({ ...identity, issuer: 'https://other.example' })).toBeUndefined();
    expect(await identities().find({ ...identity, subject: identity.subject.toUpperCase() })).toBeUndefined();
    await identities().insert({ ...identity, issuer: 'https://other.example', account_id: 'bob' });
    expect(await identities().find(identity)).toEqual(identity);
  });

  test('of 50 first sign-ins at once one gets the identity, the others hear that it is taken', async () => {
    const identity = anIdentity();
    const { values, errors } = await atOnce(50, (index) =>
      identities().insert({ ...identity, account_id: `usr_${index}` }),
    );
    expect(values).toHaveLength(1);
    for (const error of errors) expect(error).toMatchObject({ code: 'duplicate' });
    expect(await identities().find(identity)).toMatchObject({ subject: identity.subject });
  });

  test('a use is noted; of an identity that is gone it makes none', async () => {
    const identity = anIdentity();
    const seen = { email: 'new@example.com', last_used_at: '2026-02-02T00:00:00.000Z' };
    await identities().noteUse(identity, seen);
    expect(await identities().find(identity)).toBeUndefined();
    await identities().insert(identity);
    await identities().noteUse(identity, seen);
    expect(await identities().find(identity)).toEqual({ ...identity, ...seen });
    await identities().noteUse(identity, { ...seen, email: null });
    expect(await identities().find(identity)).toEqual({ ...identity, ...seen, email: null });
  });

  test('those of a person are listed, oldest first, nobody else’s', async () => {
    const newer = anIdentity({ account_id: 'ada', created_at: '2026-03-03T00:00:00.000Z' });
    const older = anIdentity({ account_id: 'ada', provider: 'github' });
    for (const one of [newer, older, anIdentity()]) await identities().insert(one);
    expect(await identities().listByAccount('ada')).toEqual([older, newer]);
    expect(await identities().listByAccount('nobody')).toEqual([]);
  });

  test('one is removed from the account it leads to, and from no other', async () => {
    const identity = anIdentity({ account_id: 'ada' });
    await identities().insert(identity);
    expect(await identities().delete(identity, 'bob')).toBe(false);
    expect(await identities().delete(identity, 'ada')).toBe(true);
    expect(await identities().delete(identity, 'ada')).toBe(false);
    expect(await identities().find(identity)).toBeUndefined();
  });

  test('a person who goes takes theirs along', async () => {
    const [mine, too, other] = [anIdentity({ account_id: 'ada' }), anIdentity({ account_id: 'ada' }), anIdentity()];
    for (const one of [mine, too, other]) await identities().insert(one);
    await identities().deleteByAccount('ada');
    expect(await identities().listByAccount('ada')).toEqual([]);
    expect(await identities().find(other)).toEqual(other);
  });
}
