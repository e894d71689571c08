import { beforeEach, describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import type { Delivery, SessionApp } from '../../../src/logout/store.ts';
import { atOnce } from './at-once.ts';
import type { Driver, Use } from './contract.ts';
import { aDelivery, aSessionApp } from './samples.ts';

const plainApp = (app: SessionApp) => ({ ...app, sealed: Buffer.from(app.sealed) });
const plain = (one: Delivery | undefined) => one && { ...one, sealed: one.sealed && Buffer.from(one.sealed) };

export function logOutContract(use: Use, driver: Driver): void {
  const store = () => use().storage.logout;
  const now = epochSeconds();
  const sharedTest = driver.shared ? test : () => undefined;

  async function add(overrides: Partial<Delivery> = {}): Promise<Delivery> {
    const delivery = aDelivery({ due_at: now, give_up_at: now + 1000, ...overrides });
    await store().insert([delivery]);
    return delivery;
  }

  describe('apps of sessions', () => {
    let app: SessionApp;
    beforeEach(async () => {
      app = aSessionApp({ expires_at: now + 100 });
      await store().noteApp(app);
    });
    const ofSession = async (at = now) => (await store().appsOfSession(app.session_key, at)).map(plainApp);

    test('are found by session and by account', async () => {
      const elsewhere = aSessionApp({ account_key: app.account_key });
      await store().noteApp(elsewhere);
      await store().noteApp(aSessionApp());
      expect(await ofSession()).toEqual([plainApp(app)]);
      const ofAccount = await store().appsOfAccount(app.account_key, now);
      expect(ofAccount.map(({ app_key }) => app_key).toSorted()).toEqual([app.app_key, elsewhere.app_key].toSorted());
    });

    test('noted again keep the later expiry, and tokens that outlive the session', async () => {
      await store().noteApp({ ...app, offline: true, expires_at: now + 50 });
      await store().noteApp({ ...app, offline: false, expires_at: now + 200 });
      expect(await ofSession()).toEqual([{ ...plainApp(app), offline: true, expires_at: now + 200 }]);
    });

    test('noted by many at once are one', async () => {
      const other = aSessionApp();
      await atOnce(20, () => store().noteApp(other));
      expect(await store().appsOfSession(other.session_key, now)).toHaveLength(1);
    });

    test('that expired are absent, swept or not', async () => {
      expect(await ofSession(now + 100)).toEqual([]);
      expect(await store().appsOfAccount(app.account_key, now + 100)).toEqual([]);
      await store().sweepApps(now + 99, 10);
      expect(await ofSession()).toHaveLength(1);
    });

    test('live on with their session, and never shorter', async () => {
      await store().prolongSession(app.session_key, now + 300);
      await store().prolongSession(app.session_key, now + 200);
      expect(await ofSession(now + 299)).toHaveLength(1);
      expect(await ofSession(now + 300)).toEqual([]);
    });

    test('at the end of the session go, but for those with tokens that outlive it', async () => {
      const offline = aSessionApp({ session_key: app.session_key, offline: true });
      const left = aSessionApp({ session_key: app.session_key });
      await store().noteApp(offline);
      await store().noteApp(left);
      await store().endApps([app, offline]);
      const found = await ofSession();
      expect(found.map(({ app_key, ended }) => [app_key, ended]).toSorted()).toEqual(
        [
          [offline.app_key, true],
          [left.app_key, false],
        ].toSorted(),
      );
      await store().removeApps([offline, left]);
      expect(await ofSession()).toEqual([]);
    });
  });

  describe('insert', () => {
    test('keeps what is given, and what is there already', async () => {
      const first = await add();
      const second = aDelivery({ client_id: null, sealed: null, problem: 'x', settled_at: now });
      await store().insert([{ ...first, cause: 'other' }, second]);
      expect(plain(await store().find(first.id))).toEqual(plain(first));
      expect(plain(await store().find(second.id))).toEqual(plain(second));
      expect(await store().find('unknown')).toBeUndefined();
    });

    test('gives the deliveries of one log-out, not the log-out itself', async () => {
      const one = await add();
      const two = await add({ logout_id: one.logout_id });
      await add({ logout_id: one.logout_id, id: one.logout_id, client_id: null });
      await add();
      const ids = (await store().listOf(one.logout_id)).map(({ id }) => id);
      expect(ids.toSorted()).toEqual([one.id, two.id].toSorted());
    });
  });

  describe('claim', () => {
    test('gives the one that has been due longest, counted, and to nobody else until then', async () => {
      const later = await add({ due_at: now - 1 });
      const earlier = await add({ due_at: now - 2, problem: 'before' });
      await add({ due_at: now + 1 });
      expect(plain(await store().claim(now, now + 60, []))).toEqual({
        ...plain(earlier),
        attempts: 1,
        due_at: now + 60,
        problem: null,
      });
      expect((await store().claim(now, now + 60, []))!.id).toBe(later.id);
      expect(await store().claim(now, now + 60, [])).toBeUndefined();
      expect((await store().claim(now + 60, now + 90, ['nobody']))!.attempts).toBeGreaterThan(0);
    });

    test('passes over clients that are not to be told now, never over a log-out itself', async () => {
      const dead = await add({ client_id: 'dead', due_at: now - 9 });
      const alive = await add({ client_id: 'alive' });
      const itself = await add({ client_id: null });
      const claimed = [await store().claim(now, now + 60, ['dead']), await store().claim(now, now + 60, ['dead'])];
      expect(claimed.map((one) => one?.id).toSorted()).toEqual([alive.id, itself.id].toSorted());
      expect(await store().claim(now, now + 60, ['dead'])).toBeUndefined();
      expect((await store().claim(now, now + 60, []))!.id).toBe(dead.id);
    });

    test('of 30 callers at once gives each of ten to one', async () => {
      const all = await Promise.all(Array.from({ length: 10 }, () => add()));
      const { values, errors } = await atOnce(30, () => store().claim(now, now + 60, []));
      expect(errors).toEqual([]);
      const ids = values.flatMap((one) => (one ? [one.id] : []));
      expect(ids.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
    });

    sharedTest('holds between processes', async () => {
      await add();
      const other = await use().reopen();
      const both = await Promise.all([store().claim(now, now + 60, []), other.logout.claim(now, now + 60, [])]);
      expect(both.filter(Boolean)).toHaveLength(1);
      await other.close();
    });

    test('is announced by isDue', async () => {
      expect(await store().isDue(now)).toBe(false);
      await add({ due_at: now + 5 });
      expect([await store().isDue(now + 4), await store().isDue(now + 5)]).toEqual([false, true]);
    });
  });

  describe('settle', () => {
    test('a confirmed one leaves nothing of whom it was about', async () => {
      const { id } = await add();
      await store().claim(now, now + 60, []);
      expect(await store().settle(id, 1, { state: 'confirmed', settled_at: now })).toBe(true);
      expect(await store().find(id)).toMatchObject({ state: 'confirmed', sealed: null, settled_at: now });
    });

    test('a failed one waits, with the reason; refusals are counted', async () => {
      const delivery = await add();
      await store().claim(now, now + 60, []);
      const failed = { state: 'waiting', due_at: now + 10, problem: 'answered 400', refused: true } as const;
      expect(await store().settle(delivery.id, 1, failed)).toBe(true);
      expect(await store().claim(now + 9, now + 70, [])).toBeUndefined();
      await store().claim(now + 10, now + 70, []);
      await store().settle(delivery.id, 2, { ...failed, refused: false });
      expect(plain(await store().find(delivery.id))).toEqual({
        ...plain(delivery),
        attempts: 2,
        refusals: 1,
        due_at: now + 10,
        problem: 'answered 400',
      });
    });

    test('one that was given up keeps whom it was about, and is claimed no more', async () => {
      const delivery = await add();
      await store().claim(now, now + 60, []);
      const outcome = { state: 'given_up', settled_at: now, problem: 'answered 501', refused: true } as const;
      expect(await store().settle(delivery.id, 1, outcome)).toBe(true);
      expect(plain(await store().find(delivery.id))).toMatchObject({
        state: 'given_up',
        problem: 'answered 501',
        refusals: 1,
        sealed: plain(delivery)!.sealed,
      });
      expect(await store().isDue(now + 9999)).toBe(false);
    });

    test('an attempt that was overtaken by another changes nothing', async () => {
      const { id } = await add();
      await store().claim(now, now + 60, []);
      await store().claim(now + 60, now + 120, []);
      expect(await store().settle(id, 1, { state: 'confirmed', settled_at: now })).toBe(false);
      expect(await store().settle(id, 2, { state: 'confirmed', settled_at: now })).toBe(true);
      expect(await store().settle(id, 2, { state: 'confirmed', settled_at: now })).toBe(false);
    });
  });

  test('retry makes due what was given up or waits after a failure, and leaves alone what is under way', async () => {
    const givenUp = await add({ state: 'given_up', settled_at: now, problem: 'answered 501' });
    const failed = await add({ problem: 'answered 500', due_at: now + 500 });
    const fresh = await add();
    const confirmed = await add({ state: 'confirmed', sealed: null, settled_at: now });
    for (const { id } of [givenUp, failed]) {
      expect(await store().retry(id, now, now + 99)).toBe(true);
      expect(await store().find(id)).toMatchObject({ state: 'waiting', due_at: now, give_up_at: now + 99 });
    }
    for (const { id } of [fresh, confirmed]) expect(await store().retry(id, now, now + 99)).toBe(false);
  });

  test('lists those of one state, oldest first, page by page', async () => {
    const all = Array.from({ length: 5 }, (_, day) => aDelivery({ created_at: `2026-01-0${day + 1}T00:00:00.000Z` }));
    await store().insert(all.toReversed());
    const first = await store().list('waiting', { limit: 3 });
    const second = await store().list('waiting', { limit: 3, after: first.next });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(second.next).toBeUndefined();
  });

  test('removes one, and purges what was settled long ago, some at a time', async () => {
    const gone = await add();
    await store().remove(gone.id);
    expect(await store().find(gone.id)).toBeUndefined();
    for (let index = 0; index < 3; index += 1) await add({ state: 'confirmed', settled_at: now - 100 });
    const recent = await add({ state: 'confirmed', settled_at: now });
    const waits = await add({ due_at: now - 999 });
    expect(await store().purge('confirmed', now - 100, 2)).toBe(2);
    expect(await store().purge('confirmed', now - 100, 2)).toBe(1);
    for (const { id } of [recent, waits]) expect(await store().find(id)).toBeDefined();
  });
}
