/** Whoever has one scope of the admin API wants what another one is for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdminScope } from '../../src/administration/scopes.ts';
import { OPERATOR } from '../../src/administration/principal.ts';
import { adminApi, program, programToken } from '../support/admin-api.ts';
import { clientKey } from '../support/client-keys.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

let gatehouse: Running;
beforeAll(async () => {
  gatehouse = await startGatehouse();
});
afterAll(() => gatehouse.stop());

const having = (...scopes: AdminScope[]) => program(gatehouse, scopes);

describe('who may register apps and nothing else', () => {
  const bearer = async (subject: 'account' | 'client') => {
    const { jwks } = await clientKey('ES256');
    const { resource } = await gatehouse.app({ type: 'api', scope: 'pay' });
    return {
      grant_types: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
      jwt_bearer: [
        {
          issuer: 'https://own.example',
          jwks,
          subject,
          to: [resource],
          scopes: ['pay'],
          ...(subject === 'client' ? { subjects: ['own'] } : {}),
        },
      ],
    };
  };

  it('has none of them speak for people by statements of their own', async () => {
    const api = await having('clients:read', 'clients:write');
    const service = { type: 'service', client_name: 'Bridge' };
    const forPeople = await bearer('account');
    expect((await api.post('/clients', { ...service, ...forPeople })).status).toBe(403);
    const { body } = await api.post('/clients', service);
    expect((await api.patch(`/clients/${String(body['client_id'])}`, forPeople)).status).toBe(403);
    expect((await api.post('/clients', { ...service, ...(await bearer('client')) })).status).toBe(201);
  });

  it('goes on changing what else there is of one that does', async () => {
    const all = await having('clients:read', 'clients:write', 'admins:write');
    const made = await all.post('/clients', {
      type: 'service',
      client_name: 'Bridge',
      ...(await bearer('account')),
    });
    expect(made.status).toBe(201);
    const api = await having('clients:read', 'clients:write');
    const path = `/clients/${String(made.body['client_id'])}`;
    const { jwt_bearer } = (await api.get(path)).body;
    const renamed = await api.patch(path, { client_name: 'Other', jwt_bearer });
    expect([renamed.status, renamed.body['client_name']]).toEqual([200, 'Other']);
    expect((await api.patch(path, await bearer('account'))).status).toBe(403);
    expect((await api.patch(path, { jwt_bearer: null, grant_types: null })).status).toBe(200);
  });
});

it('whoever previews tokens learns nothing of people whom they may not see', async () => {
  const { client_id } = await gatehouse.app();
  const service = await gatehouse.app({ type: 'service' });
  const { sub, email } = await gatehouse.person();
  const api = await having('tokens:preview');
  for (const person of [sub, email, 'nobody@example.com'])
    expect((await api.post('/token-preview', { person, client_id })).status).toBe(403);
  expect((await api.post('/token-preview', { client_id: service.client_id })).status).toBe(200);
  const both = await having('tokens:preview', 'users:read');
  expect((await both.post('/token-preview', { person: sub, client_id })).status).toBe(200);
});

it('whoever changes providers has no secret of ours brought to another address', async () => {
  await gatehouse.upstreams.create(OPERATOR, {
    name: 'corp',
    type: 'oidc',
    issuer: 'https://login.corp.example',
    client_id: 'us',
    client_secret: 'of-the-operator',
  });
  const api = await having('providers:read', 'providers:write');
  const moved = await api.patch('/providers/corp', { issuer: 'https://evil.example' });
  expect([moved.status, JSON.stringify(moved.body)]).toEqual([400, expect.stringContaining('#/client_secret')]);
  expect((await api.patch('/providers/corp', { display_name: 'Corp' })).status).toBe(200);
  const own = { issuer: 'https://new.corp.example', client_secret: 'for-the-new-one' };
  expect((await api.patch('/providers/corp', own)).body).toMatchObject({ issuer: own.issuer });
  expect((await api.patch('/providers/corp', { issuer: 'https://x.example', client_secret: null })).status).toBe(200);
});

it('nobody is imported under the id of a program', async () => {
  const { client_id } = await gatehouse.app({ type: 'service' });
  const token = await programToken(gatehouse, ['users:write']);
  const rows = [client_id, 'api_other', 'gatehouse-console'].map((sub, n) =>
    JSON.stringify({ sub, email: `twin${n}@example.com` }),
  );
  const { body } = await adminApi(gatehouse, token).call('POST', '/user-imports', {
    body: rows.join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
  });
  expect(body).toMatchObject({ imported: 0, bad: 3 });
});
