import { afterEach, describe, expect, it } from 'vitest';
import { expiringSecrets, warnOfSecrets } from '../../src/administration/expiring-secrets.ts';
import { createClients } from '../../src/clients/clients.ts';
import { openStorage } from '../../src/storage/open.ts';
import { backToNow, passTime } from '../support/journey.ts';

const DAY = 86_400;
afterEach(backToNow);

async function open() {
  const storage = await openStorage('sqlite::memory:');
  const clients = createClients({ store: storage.clients, consents: storage.consents });
  const logged: { fields: object; text: string }[] = [];
  const log = { warn: (fields: object, text: string) => logged.push({ fields, text }) };
  const service = async (name: string) => (await clients.register({ type: 'service', name })).client.id;
  return { clients, logged, log: log as never, service };
}

describe('secrets that end soon', () => {
  it('are told two weeks before, the soonest first, and whether another one goes on; others are not', async () => {
    const { clients, logged, log, service } = await open();
    const [lasting, later, last, overlapping] = [
      await service('Lasting'),
      await service('Later'),
      await service('Last'),
      await service('Overlapping'),
    ];
    await clients.rotateSecret(later, { overlap: 0, expires_in: 30 * DAY });
    await clients.rotateSecret(last, { overlap: 0, expires_in: 10 * DAY });
    await clients.rotateSecret(overlapping);
    const told = async () => (await expiringSecrets({ clients })).map(({ client, last: is }) => [client.id, is]);
    expect(await told()).toEqual([
      [overlapping, false],
      [last, true],
    ]);
    passTime(17 * DAY);
    expect(await told()).toEqual([[later, true]]);
    await warnOfSecrets({ clients, log });
    expect(logged).toEqual([
      {
        fields: expect.objectContaining({ client_id: later, last: true }) as object,
        text: expect.any(String) as string,
      },
    ]);
    const kept = await clients.get(later);
    expect(JSON.stringify(logged)).not.toContain(kept.secret_hash);
    expect(JSON.stringify(logged)).not.toContain(lasting);
  });
});
