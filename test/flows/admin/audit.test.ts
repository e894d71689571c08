/** What admins can read of what was done, by whom, to whom. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminApi, personToken, program } from '../../support/admin-api.ts';
import type { Api } from '../../support/admin-api.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { authorize } from '../../support/journey.ts';
import { relyingParty } from '../../support/relying-party.ts';

let gatehouse: Running;
let api: Api;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  api = await program(gatehouse);
});
afterAll(() => gatehouse.stop());

interface Entry {
  seq: number;
  type: string;
  actor: { kind: string; id: string | null };
  target: { kind: string; id: string | null };
  network: string | null;
  detail: Record<string, string>;
  reference: string | null;
}

async function read(query: string): Promise<Entry[]> {
  const { status, body } = await api.get(`/audit?${query}`);
  expect(status).toBe(200);
  return body['items'] as Entry[];
}

describe('the record', () => {
  it('says who did what to whom, from where, with what changed and by which request', async () => {
    const { sub: adminId, token } = await personToken(gatehouse, ['admin']);
    const own = adminApi(gatehouse, token);
    const made = await own.post('/users', { email: 'grace@example.com', name: 'Grace Hopper', roles: ['navy'] });
    const sub = String(made.body['sub']);
    await own.patch(`/users/${sub}`, { name: 'Amazing Grace', roles: ['navy', 'editor'] });
    const suspended = await own.post(`/users/${sub}/suspend`);
    const [third, second, first] = await read(`target=${sub}`);
    expect(first).toMatchObject({
      type: 'account_created',
      actor: { kind: 'admin', id: adminId },
      detail: { roles: 'navy' },
    });
    expect(second).toMatchObject({
      type: 'account_changed',
      detail: { fields: 'name roles', roles: 'navy → navy editor' },
    });
    expect(third).toMatchObject({
      type: 'suspended',
      target: { kind: 'person', id: sub },
      reference: suspended.headers.get('reference'),
    });
    expect(third!.network).toContain('/');
    expect((await read(`actor=${adminId}&type=suspended`)).map(({ seq }) => seq)).toEqual([third!.seq]);
  });

  it('names the program that acted, and what of an app changed', async () => {
    const made = await api.post('/clients', {
      type: 'web',
      client_name: 'Notes',
      redirect_uris: ['https://a.example/cb'],
    });
    const id = String(made.body['client_id']);
    await api.patch(`/clients/${id}`, { redirect_uris: ['https://b.example/cb'] });
    await api.post(`/clients/${id}/rotate-secret`);
    await api.delete(`/clients/${id}`);
    const entries = await read(`target=${id}`);
    expect(entries.map(({ type }) => type)).toEqual([
      'client_deleted',
      'client_secret_rotated',
      'client_changed',
      'client_registered',
    ]);
    expect(entries[2]!.detail).toEqual({ redirect_uris: '["https://a.example/cb"] → ["https://b.example/cb"]' });
    for (const { actor } of entries) expect(actor.kind).toBe('client');
    expect(JSON.stringify(entries)).not.toContain(String(made.body['client_secret']));
  });

  it('has what people did themselves, in pages, newest first', async () => {
    const person = await gatehouse.person();
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    for (let count = 0; count < 3; count += 1) await authorize(rp, person);
    const all = await read(`target=${person.sub}`);
    expect(all.map(({ type }) => type)).toEqual(['sign_in', 'sign_in', 'app_allowed', 'sign_in']);
    expect(all[0]!.actor).toEqual({ kind: 'person', id: person.sub });
    const { body } = await api.get(`/audit?target=${person.sub}&limit=3`);
    const rest = await api.get(`/audit?target=${person.sub}&after=${encodeURIComponent(String(body['next']))}`);
    expect([...(body['items'] as Entry[]), ...(rest.body['items'] as Entry[])]).toEqual(all);
    expect((await api.get('/audit?after=x')).status).toBe(400);
    expect((await api.get('/audit?from=yesterday&type=nonsense')).status).toBe(400);
    const now = new Date().toISOString();
    expect(await read(`target=${person.sub}&from=${now}`)).toEqual([]);
    expect(await read(`target=${person.sub}&to=${now}`)).toHaveLength(4);
  });

  it('is whole after all of that, and after somebody was erased', async () => {
    const person = await gatehouse.person();
    await gatehouse.access.suspend(person.sub);
    expect((await api.delete(`/users/${person.sub}`)).status).toBe(204);
    expect(await read(`target=${person.sub}`)).toEqual([]);
    const [erased] = await read('type=erased&limit=1');
    expect(erased!.target.id).toMatch(/^sub_/);
    expect(await gatehouse.audit.verify()).toMatchObject({ ok: true, problems: [] });
  });

  it('holds neither secrets nor addresses', async () => {
    const secret = 'Violet-Ostrich-77-umbrella';
    await api.post('/users', { email: 'canary@example.com', name: 'Secretive Canary', password: secret });
    await api.post('/users/canary@example.com/email', { email: 'canary2@example.com', confirmed: true });
    await api.post('/users/canary2@example.com/password', { password: `${secret}2` });
    const text = JSON.stringify(await read('limit=500'));
    for (const canary of [secret, 'canary@example.com', 'canary2@example.com', 'Secretive', '127.0.0.1'])
      expect(text).not.toContain(canary);
  });

  it('has its head in the log', async () => {
    await gatehouse.audit.logHead();
    const heads = gatehouse.logged.filter(({ msg }) => msg === 'the head of the audit chain') as unknown as {
      seq: number;
      mac: string;
    }[];
    expect(heads.length).toBeGreaterThan(0);
    expect(await gatehouse.audit.verify(heads)).toMatchObject({ ok: true });
  });
});
