/** What holds between real processes. Slower than the contract: each driver runs it once, on one store. */
import { expect, test } from 'vitest';
import type { Storage } from '../../../src/storage/storage.ts';
import { allAtOnce, startChild } from '../support/children.ts';
import { aMail, anAccount, aRecord } from './samples.ts';

interface Said {
  account?: string;
  client?: string;
  consent?: [string, string];
  record?: string;
  consumed?: string;
  mail?: string;
  sent?: string;
}

async function isThere({ accounts, clients, consents, protocol, outbox }: Storage, said: Said): Promise<boolean> {
  if (said.account) return (await accounts.find(said.account)) !== undefined;
  if (said.client) return (await clients.find(said.client)) !== undefined;
  if (said.consent) return (await consents.find(...said.consent)) !== undefined;
  if (said.mail) return (await outbox.find(said.mail)) !== undefined;
  if (said.sent) return (await outbox.find(said.sent))?.state === 'sent';
  if (said.record) return (await protocol.find(said.record)) !== undefined;
  return (await protocol.find(said.consumed!))?.consumed_at === 1_700_000_000;
}

export function processContract(url: () => string, open: () => Promise<Storage>): void {
  test('processes that open a new store at once all get to work', async () => {
    expect(await allAtOnce(4, 'open', url())).toEqual(['opened', 'opened', 'opened', 'opened']);
    const storage = await open();
    expect((await storage.accounts.list({})).items).toHaveLength(4);
    await storage.close();
  });

  test('of three processes that consume 50 codes at once exactly one wins each', async () => {
    const storage = await open();
    const codes = Array.from({ length: 50 }, (_, index) => `code-${index}`);
    for (const key of codes) await storage.protocol.upsert(aRecord({ key }));
    const won = (await allAtOnce(3, 'consume', url())) as string[][];
    expect(won.flat().toSorted()).toEqual(codes.toSorted());
    await storage.close();
  });

  test('of three processes that send 100 mails at once each is sent once', async () => {
    const storage = await open();
    const mails = Array.from({ length: 100 }, (_, index) => aMail({ id: `mail-${index}` }));
    for (const mail of mails) await storage.outbox.insert(mail);
    const sent = (await allAtOnce(3, 'send', url())) as string[][];
    expect(sent.flat().toSorted()).toEqual(mails.map(({ id }) => id).toSorted());
    await storage.close();
  });

  test('what another process says it has changed is found changed, however often it was found before', async () => {
    const storage = await open();
    await storage.accounts.insert(anAccount({ id: 'followed' }));
    const child = await startChild('change', url());
    for (let times = 1; times <= 20; times += 1) {
      child.go();
      expect(await child.next()).toBe(times);
      for (let again = 0; again < 3; again += 1) {
        expect(await storage.accounts.find('followed')).toMatchObject({ name: String(times), version: times + 1 });
        expect([...(await storage.protocol.find('followed'))!.sealed]).toEqual([times]);
      }
    }
    child.go();
    await child.ended();
    await storage.close();
  });

  test('what a process had written is there after a SIGKILL the moment its promise resolved', async () => {
    const child = await startChild('write', url());
    child.go();
    const said: unknown[] = [];
    while (said.length < 42) said.push(await child.next());
    said.push(...(await child.kill()));
    const storage = await open();
    const lost: unknown[] = [];
    for (const thing of said) if (!(await isThere(storage, thing as Said))) lost.push(thing);
    expect(lost).toEqual([]);
    await storage.close();
  });
}
