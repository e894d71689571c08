/**
 * Appends to the chain. What comes together is written together: one read of the head at most, one commit. Several processes write to
 * one chain; who was slower links what is left anew.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { BEGINNING, markAt } from './chain.ts';
import type { Signer } from './chain.ts';
import { toRecord } from './document.ts';
import type { Draft } from './document.ts';
import type { AuditStore, StoredRecord } from './store.ts';

const MOST_AT_ONCE = 200;
const MOST_WAIT_MS = 20;

export interface Writer {
  /** Resolves when the record is stored. @throws unavailable. */
  append(draft: Draft): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

interface Waiting {
  draft: Draft;
  resolve(): void;
  reject(error: unknown): void;
}

type Store = Pick<AuditStore, 'append' | 'end' | 'cut'>;

export function createWriter({ store, signer }: { store: Store; signer: Signer }): Writer {
  let waiting: Waiting[] = [];
  let head: { seq: number; mac: string } | undefined;
  let running: Promise<void> | undefined;

  const markOf = (record: StoredRecord) => markAt(signer, 'head', record, record.at);

  /** @returns how many of them were stored. */
  async function write(batch: Waiting[]): Promise<number> {
    head ??= (await store.end()) ?? (await store.cut()) ?? BEGINNING;
    let last = head;
    const records = batch.map(({ draft }) => {
      const appended = toRecord(signer, draft, last.seq + 1, last.mac);
      last = appended.record;
      return appended;
    });
    const stored = await store.append(records, markOf);
    // Somebody else has appended: the next time it is read where the chain ends.
    head = stored === records.length ? last : undefined;
    return stored;
  }

  async function settle(batch: Waiting[]): Promise<void> {
    let left = batch;
    try {
      while (left.length > 0) {
        const stored = await write(left);
        for (const one of left.slice(0, stored)) one.resolve();
        left = left.slice(stored);
        if (left.length > 0) await wait(Math.random() * MOST_WAIT_MS);
      }
    } catch (error) {
      head = undefined;
      for (const one of left) one.reject(error);
    }
  }

  async function run(): Promise<void> {
    // What is noted in the same turn of the event loop goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST_AT_ONCE);
      waiting = waiting.slice(MOST_AT_ONCE);
      await settle(batch);
    }
    running = undefined;
  }

  return {
    append: (draft) =>
      new Promise((resolve, reject) => {
        waiting.push({ draft, resolve, reject });
        running ??= run();
      }),
    idle: async () => running,
  };
}
