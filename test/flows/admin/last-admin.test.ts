/** There is always an admin who can sign in, whatever anybody does at once, by whatever door and in whichever process. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { OPERATOR } from '../../../src/administration/principal.ts';
import { adminApi, personToken } from '../../support/admin-api.ts';
import { anAdmin } from '../../support/console.ts';
import type { Running } from '../../support/gatehouse.ts';
import { startInstances } from '../../support/instances.ts';
import type { Instances } from '../../support/instances.ts';
import { browserOn, openAccount, statusText } from '../../support/portal.ts';

let instances: Instances;
let here: Running;
let there: Running;
beforeAll(async () => {
  instances = await startInstances({ GATEHOUSE_LIMITS_ENABLED: 'false' });
  [here, there] = instances.all;
});
afterAll(() => instances.stop());
afterEach(async () => {
  for (const { id } of (await here.admins.list({})).items) await here.storage.accounts.delete(id);
});

const refused = { code: 'conflict', message: expect.stringContaining('last admin') as string };
const active = async () => (await here.admins.list({})).items.filter(({ state }) => state === 'active').length;

it('the last one is neither suspended, erased, nor made anything else, and cannot leave', async () => {
  const { sub } = await here.person({ roles: ['admin'] });
  await expect(here.people.suspend(OPERATOR, sub)).rejects.toMatchObject(refused);
  await expect(here.people.remove(OPERATOR, sub)).rejects.toMatchObject(refused);
  await expect(here.people.edit(OPERATOR, sub, { roles: ['editor'] })).rejects.toMatchObject(refused);
  await expect(here.admins.revoke(sub)).rejects.toMatchObject(refused);
  await expect(here.access.leave(sub, new Date().toISOString())).rejects.toMatchObject(refused);
  expect(await here.accounts.get(sub)).toMatchObject({ state: 'active', roles: ['admin'] });
  await here.people.edit(OPERATOR, sub, { roles: ['admin', 'editor'], name: 'Grace' });
});

it('one who is suspended or about to go does not count as one who is left', async () => {
  const [first, second, third] = [
    await here.person({ roles: ['admin'] }),
    await here.person({ roles: ['admin'] }),
    await here.person({ roles: ['admin'] }),
  ];
  await here.people.suspend(OPERATOR, second.sub);
  await here.access.leave(third.sub, new Date(Date.now() + 86_400_000).toISOString());
  await expect(here.people.suspend(OPERATOR, first.sub)).rejects.toMatchObject(refused);
  await here.people.resume(OPERATOR, second.sub);
  await here.people.suspend(OPERATOR, first.sub);
  await here.people.remove(OPERATOR, first.sub);
  expect(await active()).toBe(1);
});

it('of all that are taken away at once by several processes one stays', async () => {
  const all = await Promise.all(Array.from({ length: 6 }, () => here.person({ roles: ['admin'] })));
  const acts = [
    (at: Running, sub: string) => at.people.suspend(OPERATOR, sub),
    (at: Running, sub: string) => at.people.remove(OPERATOR, sub),
    (at: Running, sub: string) => at.admins.revoke(sub),
  ];
  const ends = await Promise.allSettled(all.map(({ sub }, n) => acts[n % 3]!(n % 2 ? here : there, sub)));
  expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect(await active()).toBe(1);
});

it('two who would each take the role from the other at once do not both succeed, by the API', async () => {
  const [one, other] = [await personToken(here, ['admin']), await personToken(here, ['admin'])];
  const [mine, theirs] = [adminApi(here, one.token), adminApi(here, other.token)];
  await Promise.all([
    mine.patch(`/users/${other.sub}`, { roles: [] }),
    theirs.patch(`/users/${one.sub}`, { roles: [] }),
  ]);
  expect(await active()).toBe(1);
});

it('whoever is the last one is told on their own page that they cannot go', async () => {
  const { admin } = await anAdmin(here);
  const own = browserOn(here.issuer, 'laptop');
  await openAccount(own, admin);
  const page = await own.submit(await own.open('/account/delete'), {}, '/delete');
  expect(statusText(page)).toContain('last admin');
  expect((await here.accounts.get(admin.sub)).state).toBe('active');
});
