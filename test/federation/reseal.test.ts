/** Secrets of added providers when the encryption key is replaced. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { createProviderRecords, NO_PROVIDERS, PROVIDERS } from '../../src/federation/records.ts';
import { resealProviders } from '../../src/federation/reseal.ts';
import type { ProviderSettings } from '../../src/federation/settings.ts';
import { createLiveDocument } from '../../src/kernel/live-documents.ts';
import { createSealing } from '../../src/kernel/secrets.ts';
import { createLogger } from '../../src/log.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';

const PROVIDER = { type: 'oidc', client_id: 'us', issuer: 'https://login.example', client_secret: 'given to us' };

it('are sealed with the new key, after which the old one is not needed', async () => {
  const [former, next] = [randomBytes(32), randomBytes(32)];
  const storage = openSqlite(':memory:');
  const live = createLiveDocument(storage.liveDocuments, PROVIDERS, NO_PROVIDERS);
  const recordsWith = (...keys: Buffer[]) =>
    createProviderRecords({
      live,
      sealing: createSealing(keys, 'providers'),
      configured: {},
      check: (_name, settings) => settings as unknown as ProviderSettings,
      log: createLogger('silent'),
    });
  await recordsWith(former).create({ name: 'company', ...PROVIDER });
  const both = createSealing([next, former], 'providers');
  expect(await resealProviders(live, both)).toEqual({ resealed: 1, missed: 0, unreadable: 0 });
  expect(await resealProviders(live, both)).toEqual({ resealed: 0, missed: 0, unreadable: 0 });
  expect(recordsWith(next).active()['company']).toMatchObject(PROVIDER);

  // Without any key for it, it is off rather than in the way of the others.
  const without = recordsWith(randomBytes(32));
  expect([without.active(), without.list().map(({ name }) => name)]).toEqual([{}, ['company']]);
  await without.update('company', { client_secret: 'given once more' });
  expect(without.active()['company']).toMatchObject({ client_secret: 'given once more' });
  await storage.close();
});
