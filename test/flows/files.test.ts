/** Apps and APIs from files. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import { carryOut } from '../../src/files/reconcile.ts';
import { program } from '../support/admin-api.ts';
import { as } from '../support/endpoints.ts';
import { apply, exported, inShort, planOf, problemsOf } from '../support/files.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

const SHOP = `kind: client
client_id: shop
type: web
client_name: Shop
redirect_uris: [https://shop.example/callback]
`;
const ORDERS = `kind: api
client_id: orders
client_name: Orders
resource: https://orders.example/api
scope: orders:read orders:write
`;

describe('files', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_ADMIN_API: 'true' });
  });
  afterAll(() => gatehouse.stop());

  it('make what is not there, under the ids that they name, and do nothing when applied again', async () => {
    const text = `${SHOP}default_resource: https://orders.example/api\n---\n${ORDERS}`;
    expect(inShort(await planOf(gatehouse, text))).toEqual([
      'create api orders: resource scope',
      'create client shop: type redirect_uris default_resource',
    ]);
    await apply(gatehouse, text);
    expect(await gatehouse.clients.get('shop')).toMatchObject({
      client_name: 'Shop',
      default_resource: 'https://orders.example/api',
    });
    expect(inShort(await planOf(gatehouse, text))).toEqual([]);
  });

  it('say what changes from what to what; what is not named goes back to what it is by default', async () => {
    await apply(gatehouse, `${SHOP}first_party: true\nrequire_pushed_authorization_requests: true\n`);
    const steps = await planOf(gatehouse, SHOP.replace('client_name: Shop', 'client_name: Boutique'));
    expect(steps.map(({ changes }) => changes)).toEqual([
      [
        { field: 'client_name', old: 'Shop', new: 'Boutique' },
        { field: 'first_party', old: true, new: false },
        { field: 'require_pushed_authorization_requests', old: true, new: null },
      ],
    ]);
    await carryOut(steps);
    const after = await gatehouse.clients.get('shop');
    expect([after.client_name, after.first_party]).toEqual(['Boutique', false]);
  });

  it('find a record without an id by its name', async () => {
    const unnamed = `kind: client\ntype: spa\nclient_name: Board\nredirect_uris: [https://board.example/]\n`;
    await apply(gatehouse, unnamed);
    expect(inShort(await planOf(gatehouse, unnamed))).toEqual([]);
    await gatehouse.app({ type: 'spa', name: 'Board', redirect_uris: ['https://other.example/'] });
    expect(await problemsOf(gatehouse, unnamed)).toEqual([
      'all.yaml:3: several are called Board: say which by client_id',
    ]);
  });

  it('set a secret by reference, and see that it is the same', async () => {
    const secret = randomBytes(32).toString('base64url');
    const text = `- kind: client
  client_id: nightly
  type: service
  client_name: Nightly
  client_secret: env:NIGHTLY_SECRET
`;
    const env = { NIGHTLY_SECRET: secret };
    await apply(gatehouse, text, { env });
    const nightly = { client_id: 'nightly', client_secret: secret, redirect_uri: '', resource: null };
    expect((await as(gatehouse, nightly).clientCredentials()).status).toBe(200);
    expect(inShort(await planOf(gatehouse, text, { env }))).toEqual([]);

    const next = { NIGHTLY_SECRET: randomBytes(32).toString('base64url') };
    const steps = await planOf(gatehouse, text, { env: next });
    expect(steps[0]!.changes).toEqual([{ field: 'client_secret', old: '(another)', new: 'env:NIGHTLY_SECRET' }]);
    await carryOut(steps);
    expect(inShort(await planOf(gatehouse, text, { env: next }))).toEqual([]);
    // Without a reference the secret is nobody's business here.
    expect(inShort(await planOf(gatehouse, text.replace(/ {2}client_secret.*\n/, '')))).toEqual([]);
  });

  it('name every problem with its line, and the nearest name of what is not known, before anything is done', async () => {
    const text = `kind: client
client_id: wrong
type: web
client_name: Wrong
redirect_uri: [https://wrong.example/]
---
kind: clinet
---
- kind: api
  client_name: 17
- kind: client
  type: web
  client_name: Wild
  redirect_uris:
    - https://fine.example/
    - https://*.example/
`;
    expect(await problemsOf(gatehouse, text)).toEqual([
      'all.yaml:5: redirect_uri is not known; the nearest is redirect_uris',
      'all.yaml:7: there is no kind "clinet"; the nearest is client',
      expect.stringMatching(/^all\.yaml:10: client_name: .*expected string/),
    ]);
    expect(await problemsOf(gatehouse, text.slice(text.lastIndexOf('- kind')))).toEqual([
      expect.stringMatching(/^all\.yaml:4: https:\/\/\*\.example\/ /),
    ]);
    expect(await problemsOf(gatehouse, `${SHOP}---\n${SHOP}`)).toEqual([
      'all.yaml:7: client shop is in all.yaml:1 already',
    ]);
    expect(await gatehouse.clients.find('wrong')).toBeUndefined();
  });

  it('remove what no file names only when told to, and never what is built in or registered itself', async () => {
    await gatehouse.clients.register(
      { type: 'web', name: 'Guest', redirect_uris: ['https://guest.example/'], dynamically_registered: true },
      'guest',
    );
    const without = inShort(await planOf(gatehouse, `${SHOP}---\n${ORDERS}`));
    expect(without.filter((step) => step.startsWith('remove'))).toEqual([]);
    await apply(gatehouse, `${SHOP}---\n${ORDERS}`, { prune: true });
    const left = await gatehouse.clients.list({ after: undefined, limit: 100 });
    expect(left.items.map(({ id }) => id).sort()).toEqual(
      expect.arrayContaining(['gatehouse-admin-api', 'guest', 'orders', 'shop']),
    );
    expect(left.items.some(({ id }) => id === 'nightly')).toBe(false);
    // What stays may not name what goes.
    const dangling = `${SHOP}default_resource: https://orders.example/api\n`;
    expect(await problemsOf(gatehouse, dangling, { prune: true })).toEqual([
      'all.yaml:1: the API https://orders.example/api is to be removed',
    ]);
    expect(await problemsOf(gatehouse, SHOP.replace('shop', 'gatehouse-account'))).toEqual([
      'all.yaml:2: gatehouse-account is part of Gatehouse',
    ]);
  });

  it('lose no change that somebody else made after the plan', async () => {
    const steps = await planOf(gatehouse, SHOP.replace('client_name: Shop', 'client_name: From the file'));
    await (await program(gatehouse)).patch('/clients/shop', { client_name: 'From the console' });
    const { done, failed } = await carryOut(steps);
    expect([done, (failed?.error as Error).message]).toEqual([[], 'the client shop was changed meanwhile']);
    expect((await gatehouse.clients.get('shop')).client_name).toBe('From the console');
  });

  it('remove nothing that somebody else changed after the plan', async () => {
    await gatehouse.clients.register({ type: 'service', name: 'Passing' }, 'passing');
    await gatehouse.settings.change(OPERATOR, { 'brand.name': 'Theirs' });
    const steps = await planOf(gatehouse, `${SHOP}---\n${ORDERS}`, { prune: true });
    const removals = steps.filter(({ act, id }) => act === 'remove' && ['passing', 'settings'].includes(id));
    expect(removals).toHaveLength(2);
    await gatehouse.clients.update('passing', { name: 'Passing by' });
    await gatehouse.settings.change(OPERATOR, { 'brand.name': 'Theirs, again' });
    for (const step of removals)
      expect(((await carryOut([step])).failed?.error as Error).message).toMatch(/(was|were) changed meanwhile$/);
    expect((await gatehouse.clients.get('passing')).client_name).toBe('Passing by');
    // Looked at before, deleted after: the change in between is seen all the same.
    await expect(gatehouse.clients.delete('passing', 1)).rejects.toMatchObject({ code: 'stale' });
    await gatehouse.settings.change(OPERATOR, { 'brand.name': null });
    await gatehouse.clients.delete('passing', 2);
  });

  it('stop at what fails, and go on when they are applied again', async () => {
    const text = `${SHOP}---\n${SHOP.replace('shop', 'second')}---\n${SHOP.replace('shop', 'third')}`;
    const steps = await planOf(gatehouse, text);
    await gatehouse.app().then(() => gatehouse.clients.register({ type: 'service', name: 'Quicker' }, 'second'));
    const { done, failed } = await carryOut(steps);
    expect([inShort(done), failed?.step.id]).toEqual([['change client shop: client_name'], 'second']);
    await gatehouse.clients.delete('second');
    await apply(gatehouse, text);
    expect(inShort(await planOf(gatehouse, text))).toEqual([]);
  });

  it('are written by export so that applying them changes nothing, here and elsewhere', async () => {
    const key = {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    };
    await gatehouse.app({
      name: 'Bank: "quoted" # not a comment',
      scope: 'openid accounts',
      default_acr_values: ['urn:gatehouse:acr:2'],
      protocol: {
        fapi_profile: 'security',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [key] },
        default_max_age: 0,
      },
    });
    await gatehouse.app({ type: 'api', name: 'Opaque', access_token_format: 'opaque' });
    const text = await exported(gatehouse);
    expect(inShort(await planOf(gatehouse, text, { prune: true }))).toEqual([]);
    const elsewhere = await startGatehouse();
    try {
      await apply(elsewhere, text, { prune: true });
      expect(inShort(await planOf(elsewhere, text, { prune: true }))).toEqual([]);
      expect(await exported(elsewhere)).toBe(text);
    } finally {
      await elsewhere.stop();
    }
  });

  it('are in the record as what whoever operates the machine did', async () => {
    await apply(gatehouse, SHOP.replace('shop', 'noted'));
    const { items } = await gatehouse.audit.search({ target: 'noted', limit: 5, after: undefined });
    expect(items).toMatchObject([{ type: 'client_registered', actor: { kind: 'operator' } }]);
  });
});
