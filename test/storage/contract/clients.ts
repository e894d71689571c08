import { describe, expect, test } from 'vitest';
import { EXPIRING } from '../../../src/clients/client.ts';
import { atOnce } from './at-once.ts';
import type { Use } from './contract.ts';
import { pagingContract } from './paging.ts';
import { aClient } from './samples.ts';

const RESOURCE = 'https://api.shop.example/v1';

export function clientContract(use: Use): void {
  const clients = () => use().storage.clients;

  test('an app comes back as it was registered', async () => {
    const client = aClient({ scope: 'openid email', logo_uri: 'https://shop.example/logo.png', first_party: true });
    await clients().insert(client);
    expect(await clients().find(client.id)).toEqual(client);
    expect(await clients().find('unknown')).toBeUndefined();
  });

  test('how it speaks the protocol comes back as it was registered', async () => {
    const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: '$a.b' };
    const client = aClient({
      protocol: { jwks: { keys: [jwk] }, dpop_bound_access_tokens: false, contacts: [] },
      secret_hash: null,
      secret_sealed: 'sealed',
    });
    await clients().insert(client);
    expect(await clients().find(client.id)).toEqual(client);
  });

  test('two secrets come back as they were kept, of one that has an end it is found', async () => {
    const facts = { id: 'sec_1', last_four: 'abcd', created_at: '2026-01-01T00:00:00.000Z', expires_at: null };
    const end = '2126-01-01T00:00:00.000Z';
    const earlier_secret = { ...facts, id: 'sec_0', expires_at: end, hash: 'sha256:before', sealed: null };
    const client = aClient({ secret_facts: facts, earlier_secret });
    await clients().insert(client);
    await clients().insert(aClient());
    expect(await clients().find(client.id)).toEqual(client);
    expect((await clients().search({ having: [EXPIRING], limit: 5 })).items).toEqual([client]);
    const { version } = await clients().update({ ...client, earlier_secret: null });
    expect(await clients().find(client.id)).toEqual({ ...client, earlier_secret: null, version });
    expect((await clients().search({ having: [EXPIRING], limit: 5 })).items).toEqual([]);
  });

  test('what is set to nothing is gone', async () => {
    const client = aClient({ access_token_lifetime: 60, allowed_resources: ['urn:a'], consent: 'always' });
    await clients().insert(client);
    await clients().update({ ...client, access_token_lifetime: undefined, allowed_resources: undefined });
    const { access_token_lifetime, allowed_resources, ...rest } = client;
    expect([access_token_lifetime, allowed_resources]).toEqual([60, ['urn:a']]);
    expect(await clients().find(client.id)).toEqual({ ...rest, version: 2 });
  });

  test('an API is found by its identifier', async () => {
    const api = aClient({ type: 'api', resource: RESOURCE });
    await clients().insert(api);
    expect(await clients().findByResource(RESOURCE)).toEqual(api);
    expect(await clients().findByResource(`${RESOURCE}/`)).toBeUndefined();
  });

  test('apps, which have no identifier of an API, do not get in each other’s way', async () => {
    const { errors } = await atOnce(5, () => clients().insert(aClient({ resource: null })));
    expect(errors).toEqual([]);
  });

  test('a client id that is taken is refused, the holder unharmed', async () => {
    const client = aClient();
    await clients().insert(client);
    await expect(clients().insert({ ...client, client_name: 'Impostor' })).rejects.toMatchObject({ code: 'duplicate' });
    expect(await clients().find(client.id)).toEqual(client);
  });

  test('of 20 APIs registered with one identifier at once exactly one gets it', async () => {
    const { values, errors } = await atOnce(20, () => clients().insert(aClient({ type: 'api', resource: RESOURCE })));
    expect(values).toHaveLength(1);
    for (const error of errors) expect(error).toMatchObject({ code: 'duplicate', field: 'resource' });
  });

  test('of 20 secrets set at once exactly one is, the other callers are told', async () => {
    const client = aClient();
    await clients().insert(client);
    const { values, errors } = await atOnce(20, (index) =>
      clients().update({ ...client, secret_hash: `hash ${index}` }),
    );
    expect(values).toHaveLength(1);
    for (const error of errors) expect(error).toMatchObject({ code: 'conflict' });
    expect(await clients().find(client.id)).toEqual({ ...values[0], version: 2 });
  });

  test('updating a client that is gone says so', async () => {
    await expect(clients().update(aClient())).rejects.toMatchObject({ code: 'not_found' });
  });

  test('a deleted client is gone; deleting it again says there was none', async () => {
    const client = aClient({ type: 'api', resource: RESOURCE });
    await clients().insert(client);
    expect(await clients().delete(client.id)).toBe(true);
    expect(await clients().delete(client.id)).toBe(false);
    expect(await clients().findByResource(RESOURCE)).toBeUndefined();
  });

  test('a client that has changed since is not deleted', async () => {
    const client = aClient();
    await clients().insert(client);
    const { version } = await clients().update(client);
    expect(await clients().delete(client.id, client.version)).toBe(false);
    expect((await clients().search({ text: client.client_name, limit: 5 })).items).toMatchObject([{ id: client.id }]);
    expect(await clients().delete(client.id, version)).toBe(true);
    expect(await clients().find(client.id)).toBeUndefined();
    expect(await clients().delete(client.id, version)).toBe(false);
  });

  test('of a change and a deletion of one version at once exactly one takes', async () => {
    for (let round = 0; round < 10; round += 1) {
      const client = aClient();
      await clients().insert(client);
      const change = clients()
        .update({ ...client, client_name: 'Changed' })
        .then(
          () => true,
          () => false,
        );
      const [changed, deleted] = await Promise.all([change, clients().delete(client.id, client.version)]);
      expect([round, changed, deleted]).toEqual([round, !deleted, !changed]);
      expect((await clients().find(client.id))?.client_name).toBe(changed ? 'Changed' : undefined);
    }
  });

  describe('listing', () => pagingContract(clients, aClient));
}
