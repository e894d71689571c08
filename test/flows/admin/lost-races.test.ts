/** Two admins at once by the API: whoever says which version they have seen changes and removes no other. Made from the list of routes. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROUTES } from '../../../src/admin/routes.ts';
import type { Api } from '../../support/admin-api.ts';
import { program } from '../../support/admin-api.ts';
import { PASSWORD, startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { atOnce } from '../../support/journey.ts';

/** What is below a record and has no part in its version: records of their own, and questions. */
const APART = /\/(?:sessions|consents|passkeys|checks?|tests?)\b/;
const versioned = ROUTES.filter(({ ifMatch }) => ifMatch).map(({ path }) => path.split('/')[1]!);
/** Routes that change or remove a record of which there are versions. */
const CHANGING = ROUTES.filter(
  ({ method, path }) =>
    method !== 'GET' &&
    (path.includes('{') || path === '/settings') &&
    versioned.includes(path.split('/')[1]!) &&
    !APART.test(path),
);

let gatehouse: Running;
let api: Api;
let values: Record<string, string>;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
  api = await program(gatehouse);
  const app = await gatehouse.app();
  const made = await api.post('/apis', { client_name: 'Notes', resource: 'https://notes.example' });
  const secret = async (id: string) => (await gatehouse.clients.get(id)).secret_facts!.id;
  await api.post('/roles', { name: 'clerk' });
  await api.post('/groups', { name: 'staff' });
  const company = { name: 'company', type: 'oidc', issuer: 'https://login.company.example', client_id: 'us' };
  expect((await api.post('/providers', company)).status).toBe(201);
  const api_id = String(made.body['client_id']);
  values = {
    ...{ sub: (await gatehouse.person()).sub, role: 'clerk', group: 'staff', name: 'company', table: app.client_id },
    ...{ client_id: app.client_id, api_id, secret_id: await secret(app.client_id), api_secret: await secret(api_id) },
  };
});
afterAll(() => gatehouse.stop());

const BODIES: Record<string, object> = {
  setPassword: { password: PASSWORD },
  changeEmail: { email: 'late@example.com', confirmed: true },
  setClaimTable: { rules: [] },
};
const addressOf = (path: string) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const ofApi = path.startsWith('/apis') ? { client_id: 'api_id', secret_id: 'api_secret' }[name] : undefined;
    return encodeURIComponent(values[ofApi ?? name]!);
  });
const recordOf = (path: string) => addressOf(/^\/[^/]+(?:\/\{\w+\})?/.exec(path)![0]);

it('every route that changes a record heeds If-Match', () => {
  expect(CHANGING.length).toBeGreaterThan(25);
  expect(CHANGING.filter(({ ifMatch }) => !ifMatch).map(({ id }) => id)).toEqual([]);
});

it.each(CHANGING.map(({ id, method, path }) => [id, method, path] as const))(
  '%s does nothing to another version than was seen',
  async (id, method, path) => {
    const before = await api.get(recordOf(path));
    const headers = { 'if-match': '"4711"' };
    const { status, body } = await api.call(method, addressOf(path), {
      ...(method === 'DELETE' ? {} : { body: BODIES[id] ?? {} }),
      headers,
    });
    expect([status, String(body['type'])]).toEqual([412, expect.stringContaining('#stale')]);
    expect((await api.get(recordOf(path))).body).toEqual(before.body);
  },
);

it('of two who remove or change what they have seen, one is told that they were late', async () => {
  for (const [path, change] of [
    ['/roles/clerk', { description: 'Changed' }],
    ['/groups/staff', { description: 'Changed' }],
    [`/clients/${values['client_id']}`, { client_name: 'Changed' }],
    [`/apis/${values['api_id']}`, { client_name: 'Changed' }],
    ['/providers/company', { display_name: 'Changed' }],
    [`/users/${values['sub']}`, { name: 'Changed' }],
  ] as const) {
    const headers = { 'if-match': (await api.get(path)).headers.get('etag')! };
    const [changed, removed] = await atOnce(2, (n) =>
      n === 0 ? api.patch(path, change, headers) : api.call('DELETE', path, { headers }),
    );
    const after = (await api.get(path)).status;
    // Who comes after the removal finds nothing, or what is going.
    if (changed!.status === 200) expect([path, removed!.status, after]).toEqual([path, 412, 200]);
    else expect([path, [404, 412].includes(changed!.status), removed!.status, after]).toEqual([path, true, 204, 404]);
  }
});

it('of two who rotate the secret that they have seen, one is told that they were late', async () => {
  const { client_id } = await gatehouse.app();
  const path = `/clients/${client_id}`;
  const headers = { 'if-match': (await api.get(path)).headers.get('etag')! };
  const answers = await atOnce(4, () => api.post(`${path}/rotate-secret`, {}, headers));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412]);
});
