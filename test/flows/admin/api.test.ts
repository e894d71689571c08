/** The admin API as programs use it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../../src/admin/routes.ts';
import { adminApi, program, programToken } from '../../support/admin-api.ts';
import type { Api } from '../../support/admin-api.ts';
import { as } from '../../support/endpoints.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { atOnce, authorize, browserFor } from '../../support/journey.ts';
import { relyingParty } from '../../support/relying-party.ts';

let gatehouse: Running;
let api: Api;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  api = await program(gatehouse);
});
afterAll(() => gatehouse.stop());

interface Listed {
  items: Record<string, unknown>[];
  next?: string;
}

async function everything(path: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let after: string | undefined;
  do {
    const { body } = await api.get(`${path}${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`);
    const page = body as unknown as Listed;
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

describe('a person', () => {
  it('is created, read, changed and erased', async () => {
    const made = await api.post('/users', { email: 'Grace@Example.com', name: 'Grace Hopper', roles: ['navy'] });
    expect(made.status).toBe(201);
    const { sub } = made.body as { sub: string };
    expect(made.headers.get('location')).toBe(`${gatehouse.issuer}/admin/api/v1/users/${sub}`);
    expect(made.body).toMatchObject({ email: 'Grace@Example.com', state: 'active', has_password: false });

    const read = await api.get(`/users/${sub}`);
    expect(read.body).toEqual(made.body);
    expect(read.headers.get('etag')).toBe(made.headers.get('etag'));
    expect((await api.get('/users/grace@example.com')).body).toEqual(made.body);

    const changed = await api.patch(
      `/users/${sub}`,
      { name: 'Rear Admiral Hopper', claims: { nickname: 'Amazing', website: 'https://navy.example' } },
      { 'if-match': read.headers.get('etag')! },
    );
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ name: 'Rear Admiral Hopper', roles: ['navy'] });
    const cleared = await api.patch(`/users/${sub}`, { claims: { nickname: null } });
    expect(cleared.body['claims']).toEqual({ website: 'https://navy.example' });

    expect((await api.delete(`/users/${sub}`)).status).toBe(204);
    expect((await api.get(`/users/${sub}`)).status).toBe(404);
    expect((await api.delete(`/users/${sub}`)).status).toBe(404);
  });

  it('who is suspended is out of every session at once, and comes back when resumed', async () => {
    const person = await gatehouse.person();
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const browser = browserFor(rp);
    await authorize(rp, person, {}, browser);
    const sessions = await api.get(`/users/${person.sub}/sessions`);
    expect((sessions.body as unknown as Listed).items).toHaveLength(1);
    expect((await api.post(`/users/${person.sub}/suspend`)).body).toMatchObject({ state: 'suspended' });
    expect((await api.get(`/users/${person.sub}/sessions`)).body).toEqual({ items: [] });
    expect(await gatehouse.accounts.authenticate(person.email, person.password)).toBeUndefined();
    expect((await api.post(`/users/${person.sub}/resume`)).body).toMatchObject({ state: 'active' });
  });

  it('is signed out of one session, or of all', async () => {
    const person = await gatehouse.person();
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    for (const browser of [browserFor(rp), browserFor(rp), browserFor(rp)]) await authorize(rp, person, {}, browser);
    const path = `/users/${person.sub}/sessions`;
    const [first] = ((await api.get(path)).body as unknown as Listed).items;
    const stranger = await gatehouse.person();
    expect((await api.delete(`/users/${stranger.sub}/sessions/${String(first!['id'])}`)).status).toBe(404);
    expect((await api.delete(`${path}/${String(first!['id'])}`)).status).toBe(204);
    expect(((await api.get(path)).body as unknown as Listed).items).toHaveLength(2);
    expect((await api.delete(path)).status).toBe(204);
    expect((await api.get(path)).body).toEqual({ items: [] });
  });

  it('gets a password, another address, and loses what they allowed an app', async () => {
    const person = await gatehouse.person();
    const app = await gatehouse.app();
    await authorize(await relyingParty(gatehouse, app), person);
    const path = `/users/${person.sub}`;
    expect((await api.post(`${path}/password`, { password: 'short' })).body).toMatchObject({
      errors: [{ pointer: '#/password' }],
    });
    expect((await api.post(`${path}/password`, { password: 'wet plover staircase' })).status).toBe(200);
    expect(await gatehouse.accounts.authenticate(person.email, 'wet plover staircase')).toBeDefined();
    const moved = await api.post(`${path}/email`, { email: 'moved@Example.com', confirmed: true });
    expect(moved.body).toMatchObject({ email: 'moved@Example.com' });
    expect((await api.post(`${path}/email`, { email: 'further@example.com' })).status).toBe(409);
    const consents = (await api.get(`${path}/consents`)).body as unknown as Listed;
    expect(consents.items).toMatchObject([{ client_id: app.client_id }]);
    expect((await api.delete(`${path}/consents/${app.client_id}`)).status).toBe(204);
    expect((await api.delete(`${path}/consents/${app.client_id}`)).status).toBe(404);
    expect((await api.get(`${path}/sign-in-methods`)).body).toMatchObject({ has_password: true, passkeys: [] });
    expect((await api.post(`${path}/reset-factors`)).status).toBe(200);
    expect((await api.post(`${path}/unlock`)).body).toMatchObject({ sub: person.sub });
    expect((await api.delete(`${path}/passkeys/none`)).status).toBe(404);
  });

  it('whose address is taken is told so, by field', async () => {
    const { email } = await gatehouse.person();
    const taken = await api.post('/users', { email, name: 'Twin' });
    expect(taken.status).toBe(409);
    expect(taken.body).toMatchObject({ errors: [{ pointer: '#/email' }] });
  });
});

describe('lists', () => {
  it('come page by page, each once, and by search, role and state', async () => {
    const made: string[] = [];
    for (const name of ['Quentin One', 'Quentin Two', 'Quentin Three'])
      made.push((await gatehouse.person({ name, email: `q${made.length}@example.com`, roles: ['quest'] })).sub);
    await gatehouse.access.suspend(made[2]!);
    for (const query of ['search=quent', 'search=QUENTIN%20t', 'role=quest', 'state=suspended&search=quentin']) {
      const expected = { 'search=QUENTIN%20t': 2, 'state=suspended&search=quentin': 1 }[query] ?? 3;
      const found = await everything(`/users?limit=1&${query}`);
      expect(found, query).toHaveLength(expected);
      expect(new Set(found.map(({ sub }) => sub)).size).toBe(expected);
    }
    expect(await everything('/users?state=active&search=quentin')).toHaveLength(2);
    expect((await everything('/users?limit=2')).length).toBeGreaterThanOrEqual(3);
  });

  it('refuse what they do not know, naming it', async () => {
    const { status, body } = await api.get('/users?limit=0&sort=name&after=x&after=y');
    expect(status).toBe(400);
    const wrong = (body['errors'] as { parameter: string }[]).map(({ parameter }) => parameter);
    expect(wrong.toSorted()).toEqual(['after', 'limit', 'sort']);
    expect((await api.get('/users?after=forged')).status).toBe(400);
  });
});

describe('an app', () => {
  it('is registered, changed, given a new secret and removed', async () => {
    const made = await api.post('/clients', {
      type: 'service',
      client_name: 'Nightly',
      scope: 'users:read',
    });
    expect(made.status).toBe(201);
    const { client_id, client_secret } = made.body as { client_id: string; client_secret: string };
    expect(client_secret).toHaveLength(43);
    expect((await api.get(`/clients/${client_id}`)).text).not.toContain(client_secret);
    const changed = await api.patch(`/clients/${client_id}`, { client_name: 'Hourly', scope: null });
    expect(changed.body).toMatchObject({ client_name: 'Hourly', has_secret: true });
    expect(changed.body).not.toHaveProperty('scope');
    const rotated = await api.post(`/clients/${client_id}/rotate-secret`, { overlap: 0 });
    expect(rotated.body['client_secret']).not.toBe(client_secret);
    const { body } = await as(gatehouse, {
      client_id,
      client_secret,
      redirect_uri: '',
      resource: null,
    }).clientCredentials();
    expect(body).toMatchObject({ error: 'invalid_client' });
    expect((await api.delete(`/clients/${client_id}`)).status).toBe(204);
    expect((await api.get(`/clients/${client_id}`)).status).toBe(404);
  });

  it('is refused with every wrong field named, by the rules of registration', async () => {
    const wrong = await api.post('/clients', { type: 'website', client_name: 7, redirect_uris: ['x', 2], extra: 1 });
    expect(wrong.status).toBe(400);
    const pointers = (wrong.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers.toSorted()).toEqual(['#/client_name', '#/extra', '#/redirect_uris/1', '#/type']);
    for (const uri of ['https://*.example/cb', 'https://app.example/cb#x', 'http://app.example/cb', 'app:/cb'])
      expect((await api.post('/clients', { type: 'web', client_name: 'A', redirect_uris: [uri] })).body).toMatchObject({
        status: 400,
        errors: [{ pointer: '#/redirect_uris' }],
      });
    const nameless = await api.post('/clients', { type: 'service', client_name: ' ' });
    expect(nameless.body).toMatchObject({ errors: [{ pointer: '#/client_name' }] });
    const app = await gatehouse.app();
    const broken = await api.patch(`/clients/${app.client_id}`, { redirect_uris: [] });
    expect(broken.body).toMatchObject({ status: 400, errors: [{ pointer: '#/redirect_uris' }] });
  });

  it('is no API, and an API is no app', async () => {
    const made = await api.post('/apis', { client_name: 'Orders', resource: 'https://orders.example', scope: 'read' });
    expect(made.body).toMatchObject({ resource: 'https://orders.example', scope: 'read' });
    const { client_id } = made.body as { client_id: string };
    const app = await gatehouse.app();
    for (const path of [`/clients/${client_id}`, `/apis/${app.client_id}`]) {
      expect((await api.get(path)).status, path).toBe(404);
      expect((await api.delete(path)).status, path).toBe(404);
      expect((await api.patch(path, { client_name: 'X' })).status, path).toBe(404);
      expect((await api.post(`${path}/rotate-secret`)).status, path).toBe(404);
    }
    expect((await everything('/apis?limit=1')).map((one) => one['client_id'])).toContain(client_id);
    expect((await everything('/clients?limit=50')).map((one) => one['client_id'])).not.toContain(client_id);
    expect((await everything('/clients?type=web')).map((one) => one['client_id'])).toContain(app.client_id);
    const again = await api.post('/apis', { client_name: 'Orders', resource: 'https://orders.example' });
    expect(again.status).toBe(409);
  });
});

describe('two admins who edit the same at once', () => {
  it('do not overwrite each other: the second is told', async () => {
    for (const path of [
      `/users/${(await gatehouse.person()).sub}`,
      `/clients/${(await gatehouse.app()).client_id}`,
      `/apis/${(await gatehouse.app({ type: 'api' })).client_id}`,
    ]) {
      const etag = (await api.get(path)).headers.get('etag')!;
      const field = path.startsWith('/users') ? 'name' : 'client_name';
      const answers = await atOnce(6, (index) => api.patch(path, { [field]: `Name ${index}` }, { 'if-match': etag }));
      const statuses = answers.map(({ status }) => status).toSorted();
      expect(statuses, path).toEqual([200, 412, 412, 412, 412, 412]);
      const won = answers.find(({ status }) => status === 200)!;
      expect((await api.get(path)).body[field]).toBe(won.body[field]);
    }
  });

  it('must say what they have seen', async () => {
    const { sub } = await gatehouse.person();
    expect((await api.patch(`/users/${sub}`, { name: 'X' }, {})).status).toBe(428);
    for (const tag of ['"0"', 'W/"1"', '1', '"x"'])
      expect((await api.patch(`/users/${sub}`, { name: 'X' }, { 'if-match': tag })).status, tag).toBe(412);
  });
});

describe('a creation sent again', () => {
  it('with the same key gives the same answer and makes nothing', async () => {
    const body = { type: 'service', client_name: 'Once' };
    const first = await api.post('/clients', body, { 'idempotency-key': 'k-1' });
    const again = await api.post('/clients', body, { 'idempotency-key': 'k-1' });
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await everything('/clients?search=once')).toHaveLength(1);
  });

  it('with the same key and another body is refused', async () => {
    await api.post('/apis', { client_name: 'One' }, { 'idempotency-key': 'k-2' });
    expect((await api.post('/apis', { client_name: 'Two' }, { 'idempotency-key': 'k-2' })).status).toBe(422);
  });

  it('at the same moment makes one', async () => {
    const body = { email: 'simultaneous@example.com', name: 'One' };
    const answers = await atOnce(5, () => api.post('/users', body, { 'idempotency-key': 'k-3' }));
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map((one) => one.body['sub'])).size).toBe(1);
    for (const other of answers.filter(({ status }) => status !== 201))
      expect([other.status, other.headers.get('retry-after')]).toEqual([409, '1']);
  });

  it('by another program with the same key is another request', async () => {
    const body = { client_name: 'Shared key' };
    const first = await api.post('/apis', body, { 'idempotency-key': 'k-4' });
    const other = await (await program(gatehouse)).post('/apis', body, { 'idempotency-key': 'k-4' });
    expect(other.status).toBe(201);
    expect(other.body['client_id']).not.toBe(first.body['client_id']);
  });

  it('after it failed is tried anew', async () => {
    const { email } = await gatehouse.person();
    const body = { email, name: 'Taken' };
    expect((await api.post('/users', body, { 'idempotency-key': 'k-5' })).status).toBe(409);
    await gatehouse.access.remove((await gatehouse.accounts.get(email)).id);
    expect((await api.post('/users', body, { 'idempotency-key': 'k-5' })).status).toBe(201);
  });

  it('with a key that is none is refused', async () => {
    expect((await api.post('/apis', { client_name: 'X' }, { 'idempotency-key': 'a b' })).status).toBe(400);
  });
});

describe('nobody sets what is not theirs to set', () => {
  const STOLEN = {
    sub: 'usr_mine',
    id: 'x',
    password_hash: 'x',
    version: 99,
    state: 'active',
    created_at: '2000-01-01T00:00:00.000Z',
    last_sign_in_at: null,
    secret_hash: 'sha256:x',
    client_secret: 'x',
    built_in: true,
    email_normalized: 'x',
    erase_at: null,
    constructor: {},
    toString: 1,
  };
  const withBody = ROUTES.filter(({ body }) => body);

  it.each(withBody.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', async (_, route) => {
    const person = await gatehouse.person();
    const app = await gatehouse.app(route.path.startsWith('/apis') ? { type: 'api' } : {});
    const path = route.path.replace('{sub}', person.sub).replace('{client_id}', app.client_id);
    // What a provider elsewhere has given us is ours to say.
    const theirs = Object.entries(STOLEN).filter(
      ([field]) => field !== 'client_secret' || !route.path.startsWith('/providers'),
    );
    for (const [field, value] of theirs) {
      const { status, body } = await api.call(route.method, path, {
        body: { [field]: value },
        headers: { 'if-match': '*' },
      });
      expect(status, field).toBe(400);
      const pointers = (body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
      expect(pointers, field).toContain(`#/${field}`);
    }
    const polluted = await api.call(route.method, path, {
      body: '{"__proto__":{"roles":["admin"],"first_party":true}}',
      headers: { 'if-match': '*', 'content-type': 'application/json' },
    });
    expect([200, 400]).toContain(polluted.status);
    expect((await gatehouse.accounts.get(person.sub)).roles).toEqual([]);
    expect((await gatehouse.clients.get(app.client_id)).first_party).toBe(false);
    expect({}).not.toHaveProperty('roles');
  });
});

describe('what cannot be read', () => {
  it('is refused as what it is', async () => {
    const types: [string, string | undefined, number][] = [
      ['{"name":', 'application/json', 400],
      ['name=x', 'application/x-www-form-urlencoded', 415],
      ['{}', 'text/plain', 415],
      [JSON.stringify({ name: 'x'.repeat(1_100_000) }), 'application/json', 413],
      ['[]', 'application/json', 400],
      ['null', 'application/json', 400],
    ];
    for (const [body, type, status] of types) {
      const { status: got, headers } = await api.post('/users', body, { 'content-type': type! });
      expect(got, `${type}: ${body.slice(0, 20)}`).toBe(status);
      expect(headers.get('content-type')).toContain('application/problem+json');
    }
    expect((await api.get('/users/%ff')).status).toBe(404);
    expect((await api.get('/nothing')).status).toBe(404);
    const wrongWay = await api.call('PUT', '/users');
    expect([wrongWay.status, wrongWay.headers.get('allow')]).toEqual([405, 'GET, POST']);
    const own = await api.call('OPTIONS', '/clients/check');
    expect([own.status, own.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('is read to its end when it is refused before, so that the connection serves the next request', async () => {
    const { hostname, port, host } = new URL(gatehouse.issuer);
    const socket = connect({ host: hostname, port: Number(port) });
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
    const hears = async (what: RegExp) => {
      while (!what.test(heard)) await once(socket, 'data', { signal: AbortSignal.timeout(3000) });
    };
    const token = await programToken(gatehouse);
    const rest = 600_000;
    const first = 1024 * 1024 + rest;
    socket.write(
      `POST /admin/api/v1/users HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${first + rest}\r\n\r\n`,
    );
    socket.write('x'.repeat(first));
    await hears(/^HTTP\/1\.1 413 /);
    socket.write('x'.repeat(rest));
    socket.write(`GET /admin/api/v1/users?limit=1 HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await hears(/HTTP\/1\.1 200 /);
    socket.destroy();
  });
});

describe('secrets', () => {
  it('are in no answer but the one that tells a client its secret, and in no log line', async () => {
    const token = await programToken(gatehouse);
    const own = adminApi(gatehouse, token);
    const password = 'Violet-Ostrich-77-umbrella';
    const made = await own.post('/users', { email: 'canary@example.com', name: 'Canary', password });
    const sub = String(made.body['sub']);
    const app = await own.post('/clients', { type: 'service', client_name: 'Canary app' });
    const secret = String(app.body['client_secret']);
    const { password_hash } = await gatehouse.accounts.get(sub);
    const { secret_hash } = await gatehouse.clients.get(String(app.body['client_id']));
    const seen: string[] = [made.text];
    for (const path of ['/users?search=canary', `/users/${sub}`, `/users/${sub}/sign-in-methods`, '/clients?limit=500'])
      seen.push((await own.get(path)).text);
    seen.push((await own.post('/users', { email: 'canary@example.com', name: 'Canary', password })).text);
    const log = JSON.stringify(gatehouse.logged);
    for (const canary of [password, password_hash!, secret, secret_hash!, token]) {
      expect(seen.join('\n')).not.toContain(canary);
      expect(log).not.toContain(canary);
    }
    expect(log).not.toContain('canary@example.com');
  });
});

describe('limits', () => {
  it('hold one program back, and nobody else', async () => {
    const strict = await startGatehouse({ GATEHOUSE_LIMITS_ADMIN_API_CLIENT_AND_ADDRESS: '3' });
    try {
      const first = await program(strict, ['users:read']);
      for (let count = 0; count < 3; count += 1) expect((await first.get('/users')).status).toBe(200);
      const refused = await first.get('/users');
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await (await program(strict, ['users:read'])).get('/users')).status).toBe(200);
    } finally {
      await strict.stop();
    }
  });
});

describe('the document', () => {
  it('describes every route, and every answer matches it', async () => {
    const response = await fetch(`${gatehouse.issuer}/admin/api/openapi.json`);
    const document = (await response.json()) as { openapi: string; paths: Record<string, Record<string, object>> };
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations.toSorted()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted());
    expect(JSON.stringify(document)).not.toContain('#/$defs');
    const named = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name!);
    const schemas = (document as unknown as { components: { schemas: object } }).components.schemas;
    for (const name of named) expect(schemas).toHaveProperty(name);
  });
});

describe('signing keys', () => {
  it('are listed, published, and removed one by one, what they signed with them', async () => {
    interface Key {
      id: string;
      alg: string;
      state: string;
    }
    const all = async () => (await api.get('/keys')).body['keys'] as Key[];
    const before = await all();
    expect(before.map(({ state }) => state)).toContain('active');
    expect(JSON.stringify(before)).not.toMatch(/"d"|sealed|private/);
    const published = (await api.post('/keys/rotate', { algorithms: ['RS256'] })).body['items'] as Key[];
    expect(published).toEqual([expect.objectContaining({ alg: 'RS256', state: 'next' })]);
    expect((await api.post('/keys/rotate', { algorithms: ['RS256'] })).body['items']).toEqual([]);
    const { status, body } = await api.post(`/keys/${published[0]!.id}/compromised`);
    expect([status, (body['items'] as Key[]).map(({ state }) => state)]).toEqual([200, ['removed']]);
    expect((await api.post('/keys/nobody/compromised')).status).toBe(404);
    expect((await api.post('/keys/rotate', { algorithms: ['PS256'] })).status).toBe(400);
    expect((await api.post('/keys/compromised', {})).status).toBe(400);
    const { items } = await gatehouse.audit.search({ type: 'signing_keys_removed', limit: 1 });
    expect(items[0]?.actor.kind).toBe('client');
  });
});
