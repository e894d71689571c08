import { expect, test } from 'vitest';
import type { Invitation } from '../../../src/accounts/invitation.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { winners } from './at-once.ts';
import type { Use } from './contract.ts';

function anInvitation(given: Partial<Invitation> = {}): Invitation {
  const email = given.email ?? `${newId('g').toLowerCase()}@example.com`;
  return {
    id: newId('inv_'),
    account_id: newId('usr_'),
    email,
    email_normalized: email,
    name: null,
    roles: [],
    locale: null,
    token_hash: newId(),
    mailed: true,
    invited_by: null,
    created_at: '2030-01-01T00:00:00.000Z',
    sent_at: '2030-01-01T00:00:00.000Z',
    expires_at: '2030-01-08T00:00:00.000Z',
    ...given,
  };
}

export function invitationContract(use: Use): void {
  const store = () => use().storage.invitations;

  test('invitations come back as they were given, by id, token and address', async () => {
    const one = anInvitation({ name: 'Ada', roles: ['editor'], locale: 'de', invited_by: 'usr_1' });
    await store().insert(one);
    expect(await store().find(one.id)).toEqual(one);
    expect(await store().findByToken(one.token_hash)).toEqual(one);
    expect(await store().findByEmail(one.email_normalized)).toEqual(one);
    expect(await store().findByToken('another')).toBeUndefined();
  });

  test('of 20 that invite one address at once one does; the others are told that it is taken', async () => {
    const email = 'wanted@example.com';
    const invite = async () => {
      try {
        await store().insert(anInvitation({ email }));
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'duplicate', field: 'email' });
        return false;
      }
    };
    expect(await winners(20, invite)).toBe(1);
  });

  test('of 20 that put another link in the place of one at once one does, and only that link is found', async () => {
    const one = anInvitation();
    await store().insert(one);
    const replace = () => store().replace({ ...one, token_hash: newId() }, one.token_hash);
    expect(await winners(20, replace)).toBe(1);
    expect(await store().findByToken(one.token_hash)).toBeUndefined();
    const now = (await store().find(one.id))!;
    expect(await store().findByToken(now.token_hash)).toEqual(now);
    expect(await store().replace(now, 'another')).toBe(false);
  });

  test('of 20 that remove one at once one does, and its address is free', async () => {
    const one = anInvitation();
    await store().insert(one);
    expect(await winners(20, () => store().remove(one.id))).toBe(1);
    await store().insert(anInvitation({ email: one.email }));
  });

  test('they are listed oldest first, page by page', async () => {
    const days = ['03', '01', '02'].map((day) => anInvitation({ created_at: `2030-01-${day}T00:00:00.000Z` }));
    for (const one of days) await store().insert(one);
    const first = await store().list({ limit: 2 });
    const second = await store().list({ limit: 2, after: first.next });
    expect([...first.items, ...second.items]).toEqual([days[1], days[2], days[0]]);
    expect(second.next).toBeUndefined();
  });

  test('those that ended before a time are removed, as many as are asked for', async () => {
    for (let n = 0; n < 3; n += 1) await store().insert(anInvitation({ expires_at: '2029-01-01T00:00:00.000Z' }));
    const open = anInvitation();
    await store().insert(open);
    expect(await store().removeExpired('2029-06-01T00:00:00.000Z', 2)).toBe(2);
    expect(await store().removeExpired('2029-06-01T00:00:00.000Z', 2)).toBe(1);
    expect((await store().list({})).items).toEqual([open]);
  });
}
