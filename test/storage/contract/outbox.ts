import { describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import type { QueuedMail } from '../../../src/mail/store.ts';
import { atOnce, winners } from './at-once.ts';
import type { Driver, Use } from './contract.ts';
import { aMail } from './samples.ts';

/** Drivers give bytes as any kind of Uint8Array. */
const bytes = (value: Uint8Array | null) => value && Buffer.from(value);
const plain = (mail: QueuedMail | undefined) =>
  mail && { ...mail, sealed: bytes(mail.sealed), problem: bytes(mail.problem) };
const WHY = Buffer.from('sealed reason');

export function outboxContract(use: Use, { shared }: Driver): void {
  const sharedTest = shared ? test : () => undefined;
  const outbox = () => use().storage.outbox;
  const now = epochSeconds();

  async function add(overrides: Partial<QueuedMail> = {}): Promise<QueuedMail> {
    const mail = aMail({ due_at: now, ...overrides });
    await outbox().insert(mail);
    return mail;
  }

  describe('insert', () => {
    test('keeps a mail to the byte', async () => {
      const mail = await add();
      expect(plain(await outbox().find(mail.id))).toEqual(mail);
      expect(await outbox().find('unknown')).toBeUndefined();
    });

    test('of 50 that add one id at once exactly one does, and what it added stays', async () => {
      const { id } = aMail();
      let kept: QueuedMail | undefined;
      const insert = async () => {
        const mail = aMail({ id });
        const won = await outbox().insert(mail);
        if (won) kept = mail;
        return won;
      };
      expect(await winners(50, insert)).toBe(1);
      expect(plain(await outbox().find(id))).toEqual(kept);
    });

    test('a mail that was sent is not queued again', async () => {
      const mail = await add();
      await outbox().claim(now, now + 60);
      await outbox().settle(mail.id, 1, { state: 'sent', settled_at: now });
      expect(await outbox().insert(mail)).toBe(false);
      expect(await outbox().claim(now + 100, now + 160)).toBeUndefined();
    });
  });

  describe('claim', () => {
    test('takes what has been due longest, and nothing that is not due', async () => {
      const later = await add({ due_at: now - 10 });
      const sooner = await add({ due_at: now - 20 });
      await add({ due_at: now + 1 });
      await add({ state: 'shown', settled_at: now });
      const claimed = [await outbox().claim(now, now + 60), await outbox().claim(now, now + 60)];
      expect(claimed.map((mail) => mail?.id)).toEqual([sooner.id, later.id]);
      expect(await outbox().claim(now, now + 60)).toBeUndefined();
    });

    test('counts the attempt and gives the mail as it is then', async () => {
      const mail = await add({ problem: WHY });
      const claimed = await outbox().claim(now, now + 60);
      expect(plain(claimed)).toEqual({ ...mail, attempts: 1, due_at: now + 60, problem: null });
      expect(plain(await outbox().find(mail.id))).toEqual(plain(claimed));
    });

    test('of 60 callers that claim 20 mails at once each mail goes to one', async () => {
      const mails = await Promise.all(Array.from({ length: 20 }, () => add()));
      const { values, errors } = await atOnce(60, () => outbox().claim(now, now + 60));
      expect(errors).toEqual([]);
      const ids = values.flatMap((mail) => (mail ? [mail.id] : []));
      expect(ids.toSorted()).toEqual(mails.map(({ id }) => id).toSorted());
    });

    sharedTest('of 100 mails that two runners send at once each is sent once', async () => {
      const other = await use().reopen();
      const mails = await Promise.all(Array.from({ length: 100 }, () => add()));
      const sent: string[] = [];
      const run = async (store: typeof other.outbox) => {
        for (let mail = await store.claim(now, now + 60); mail; mail = await store.claim(now, now + 60)) {
          if (await store.settle(mail.id, mail.attempts, { state: 'sent', settled_at: now })) sent.push(mail.id);
        }
      };
      await Promise.all([run(outbox()), run(other.outbox)]);
      expect(sent.toSorted()).toEqual(mails.map(({ id }) => id).toSorted());
      await other.close();
    });

    test('a mail whose runner was killed is taken by another when its time is over, not before', async () => {
      const mail = await add();
      await outbox().claim(now, now + 60);
      expect(await outbox().claim(now + 59, now + 120)).toBeUndefined();
      expect(await outbox().claim(now + 60, now + 120)).toMatchObject({ id: mail.id, attempts: 2 });
    });

    test('isDue tells whether there is something to claim', async () => {
      expect(await outbox().isDue(now)).toBe(false);
      await add({ due_at: now + 5 });
      expect([await outbox().isDue(now + 4), await outbox().isDue(now + 5)]).toEqual([false, true]);
      await outbox().claim(now + 5, now + 60);
      expect([await outbox().isDue(now + 59), await outbox().isDue(now + 60)]).toEqual([false, true]);
    });
  });

  describe('settle', () => {
    test('a sent mail leaves nothing of what it said', async () => {
      const mail = await add();
      await outbox().claim(now, now + 60);
      expect(await outbox().settle(mail.id, 1, { state: 'sent', settled_at: now })).toBe(true);
      expect(await outbox().find(mail.id)).toMatchObject({
        state: 'sent',
        sealed: null,
        problem: null,
        settled_at: now,
      });
    });

    test('a failed mail waits, with the reason, and is claimed again when it is due', async () => {
      const mail = await add();
      await outbox().claim(now, now + 60);
      expect(await outbox().settle(mail.id, 1, { state: 'waiting', due_at: now + 10, problem: WHY })).toBe(true);
      expect(plain(await outbox().find(mail.id))).toEqual({ ...mail, attempts: 1, due_at: now + 10, problem: WHY });
      expect(await outbox().claim(now + 9, now + 70)).toBeUndefined();
      expect(await outbox().claim(now + 10, now + 70)).toMatchObject({ id: mail.id, attempts: 2 });
    });

    test('a mail that was given up keeps what it said and why it failed, and is claimed no more', async () => {
      const mail = await add();
      await outbox().claim(now, now + 60);
      await outbox().settle(mail.id, 1, { state: 'given_up', settled_at: now, problem: WHY });
      expect(plain(await outbox().find(mail.id))).toMatchObject({
        state: 'given_up',
        sealed: mail.sealed,
        problem: WHY,
      });
      expect(await outbox().isDue(now + 9999)).toBe(false);
    });

    test('an attempt that was overtaken by another changes nothing', async () => {
      const mail = await add();
      await outbox().claim(now, now + 60);
      await outbox().claim(now + 60, now + 120);
      expect(await outbox().settle(mail.id, 1, { state: 'waiting', due_at: now, problem: WHY })).toBe(false);
      expect(await outbox().settle(mail.id, 2, { state: 'sent', settled_at: now })).toBe(true);
      expect(await outbox().settle(mail.id, 2, { state: 'given_up', settled_at: now, problem: WHY })).toBe(false);
      expect(await outbox().find(mail.id)).toMatchObject({ state: 'sent' });
    });

    test('of nothing is false', async () => {
      expect(await outbox().settle('unknown', 1, { state: 'sent', settled_at: now })).toBe(false);
    });
  });

  describe('lease', () => {
    test('of 30 that want it at once exactly one gets it', async () => {
      expect(await winners(30, (index) => outbox().lease(`runner-${index}`, now, now + 30))).toBe(1);
    });

    test('is prolonged by its holder alone, and free when it is over or released', async () => {
      expect(await outbox().lease('a', now, now + 30)).toBe(true);
      expect(await outbox().lease('b', now + 29, now + 60)).toBe(false);
      expect(await outbox().lease('a', now + 29, now + 60)).toBe(true);
      expect(await outbox().lease('b', now + 30, now + 60)).toBe(false);
      expect(await outbox().lease('b', now + 60, now + 90)).toBe(true);
      await outbox().release('a');
      expect(await outbox().lease('a', now + 60, now + 90)).toBe(false);
      await outbox().release('b');
      expect(await outbox().lease('a', now + 60, now + 90)).toBe(true);
    });

    test('of 30 that want it when its holder was killed exactly one gets it', async () => {
      await outbox().lease('killed', now, now + 30);
      expect(await winners(30, (index) => outbox().lease(`runner-${index}`, now + 30, now + 60))).toBe(1);
    });

    sharedTest('holds between processes', async () => {
      const other = await use().reopen();
      expect(await outbox().lease('a', now, now + 30)).toBe(true);
      expect(await other.outbox.lease('b', now, now + 30)).toBe(false);
      await outbox().release('a');
      expect(await other.outbox.lease('b', now, now + 30)).toBe(true);
      await other.close();
    });
  });

  describe('retry', () => {
    test('makes due what was given up or waits after a failure', async () => {
      const givenUp = await add({ state: 'given_up', settled_at: now, problem: WHY, due_at: now - 50 });
      const waiting = await add({ problem: WHY, due_at: now + 500 });
      for (const { id } of [givenUp, waiting]) expect(await outbox().retry(id, now, now + 999)).toBe(true);
      const fresh = { state: 'waiting', due_at: now, give_up_at: now + 999, settled_at: null };
      expect(await outbox().find(givenUp.id)).toMatchObject(fresh);
      expect(await outbox().find(waiting.id)).toMatchObject(fresh);
    });

    test('leaves alone what is being sent, was sent, was shown or never was', async () => {
      const sending = await add();
      await outbox().claim(now, now + 60);
      const sent = await add({ state: 'sent', sealed: null, settled_at: now });
      const shown = await add({ state: 'shown', settled_at: now });
      for (const id of [sending.id, sent.id, shown.id, 'unknown'])
        expect(await outbox().retry(id, now, now + 999)).toBe(false);
      expect(await outbox().isDue(now)).toBe(false);
    });
  });

  test('lists those of one state, oldest first, page by page', async () => {
    const mails = Array.from({ length: 7 }, (_, index) => aMail({ created_at: `2026-01-0${index + 1}T00:00:00.000Z` }));
    for (const mail of mails.toReversed()) await outbox().insert(mail);
    await add({ state: 'given_up', problem: WHY, settled_at: now });
    const first = await outbox().list('waiting', { limit: 5 });
    const second = await outbox().list('waiting', { limit: 5, after: first.next });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(mails.map(({ id }) => id));
    expect(second.next).toBeUndefined();
  });

  test('purges what was settled long ago, some at a time, and nothing that waits', async () => {
    const old = await Promise.all(
      Array.from({ length: 3 }, () => add({ state: 'sent', sealed: null, settled_at: now - 100 })),
    );
    const recent = await add({ state: 'sent', sealed: null, settled_at: now });
    const waiting = await add({ due_at: now - 9999 });
    const givenUp = await add({ state: 'given_up', settled_at: now - 100, problem: WHY });
    expect(await outbox().purge('sent', now - 100, 2)).toBe(2);
    expect(await outbox().purge('sent', now - 100, 2)).toBe(1);
    expect(await outbox().purge('sent', now - 100, 2)).toBe(0);
    for (const { id } of old) expect(await outbox().find(id)).toBeUndefined();
    for (const { id } of [recent, waiting, givenUp]) expect(await outbox().find(id)).toBeDefined();
  });
}
