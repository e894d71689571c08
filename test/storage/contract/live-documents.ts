import { expect, test } from 'vitest';
import { createLiveDocument } from '../../../src/kernel/live-documents.ts';
import { atOnce, winners } from './at-once.ts';
import type { Driver, Use } from './contract.ts';

export function liveDocumentContract(use: Use, { shared }: Driver): void {
  const store = () => use().storage.liveDocuments;

  test('a document begins with version 1, and each change counts it up', async () => {
    expect(await store().versions()).toEqual({});
    expect(await store().read('settings')).toBeUndefined();
    expect(await store().swap('settings', '{"ä":1}', 0)).toBe(true);
    expect(await store().swap('settings', '{}', 1)).toBe(true);
    await store().swap('providers', '[]', 0);
    expect(await store().versions()).toEqual({ settings: 2, providers: 1 });
    expect(await store().read('settings')).toEqual({ version: 2, document: '{}' });
  });

  test('who has not seen the newest version changes nothing; of 20 at once exactly one does', async () => {
    expect(await store().swap('settings', 'too early', 3)).toBe(false);
    for (const seen of [0, 1])
      expect(await winners(20, (index) => store().swap('settings', `by ${index}`, seen))).toBe(1);
    for (const seen of [0, 1]) expect(await store().swap('settings', 'late', seen)).toBe(false);
    expect(await store().versions()).toEqual({ settings: 2 });
  });

  test('changes of several processes at once are all there in the end', async () => {
    const other = shared ? await use().reopen() : undefined;
    const stores = [store(), other?.liveDocuments ?? store()];
    const documents = stores.map((one) => createLiveDocument<string[]>(one, 'settings', []));
    const { values } = await atOnce(4, (i) => documents[i % 2]!.change((all) => [...all, String(i)]));
    expect(values).toHaveLength(4);
    for (const document of documents) {
      await document.refresh();
      expect([...document.now()].sort()).toEqual(['0', '1', '2', '3']);
    }
    await other?.close();
  });
}
