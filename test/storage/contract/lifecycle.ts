import { expect, test } from 'vitest';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import { atOnce } from './at-once.ts';
import type { Driver, Use } from './contract.ts';
import { aClient, aConsent, anAccount, aRecord } from './samples.ts';

export function lifecycleContract(use: Use, { shared }: Driver): void {
  const sharedTest = shared ? test : () => undefined;
  test('an open store answers', async () => {
    await use().storage.ping();
  });

  sharedTest('what was written is there after opening again', async () => {
    const { storage, reopen } = use();
    const [account, client, consent, record] = [anAccount(), aClient(), aConsent(), aRecord()];
    await storage.accounts.insert(account);
    await storage.clients.insert(client);
    await storage.consents.put(consent);
    await storage.keyRings.swap('signing', '{}', 0);
    await storage.protocol.upsert(record);
    await storage.protocol.consume(record.key, 1_700_000_000);
    const again = await reopen();
    expect(await again.accounts.find(account.id)).toEqual(account);
    expect(await again.clients.find(client.id)).toEqual(client);
    expect(await again.consents.find(consent.account_id, consent.client_id)).toEqual(consent);
    expect(await again.keyRings.read('signing')).toEqual({ version: 1, document: '{}' });
    expect(await again.protocol.find(record.key)).toMatchObject({ consumed_at: 1_700_000_000 });
    await again.close();
  });

  sharedTest('what one process writes another reads at once', async () => {
    const { storage, reopen } = use();
    const other = await reopen();
    for (let round = 0; round < 20; round += 1) {
      const record = aRecord();
      await storage.protocol.upsert(record);
      expect(await other.protocol.consume(record.key, epochSeconds())).toBe(true);
      expect(await storage.protocol.find(record.key)).toMatchObject({ consumed_at: expect.any(Number) as number });
    }
    await other.close();
  });

  sharedTest('closing finishes what is under way', async () => {
    const { reopen } = use();
    const closing = await reopen();
    const writes = atOnce(30, () => closing.protocol.upsert(aRecord()));
    await closing.close();
    expect((await writes).errors).toEqual([]);
  });

  test('a closed store is unavailable', async () => {
    const { storage } = use();
    await storage.close();
    await expect(storage.ping()).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    await expect(storage.accounts.find('ada')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(storage.accounts.insert(anAccount())).rejects.toMatchObject({ code: 'unavailable' });
    await expect(storage.protocol.upsert(aRecord())).rejects.toMatchObject({ code: 'unavailable' });
    await expect(storage.protocol.revokeByAccount('ada')).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('closing twice is as good as once', async () => {
    await use().storage.close();
    await use().storage.close();
  });
}
