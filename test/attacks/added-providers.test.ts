/** Providers that somebody adds who may do that and nothing else: to reach our network, to be others, to learn secrets. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminApi, programToken } from '../support/admin-api.ts';
import type { Api } from '../support/admin-api.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { startWithUpstreams } from '../support/upstream.ts';

const GOOGLE = { type: 'google', client_id: 'us', client_secret: 'of-the-operator' };
const NEW = { name: 'added', type: 'oidc', issuer: 'https://login.example', client_id: 'us', client_secret: 'ours' };

describe('whoever may add providers', () => {
  let inner: Running;
  let gatehouse: Running;
  let api: Api;
  beforeAll(async () => {
    inner = await startGatehouse();
    gatehouse = await startWithUpstreams({ google: GOOGLE });
    api = adminApi(gatehouse, await programToken(gatehouse, ['providers:read', 'providers:write']));
  });
  afterAll(async () => {
    await gatehouse.stop();
    await inner.stop();
  });

  it('reaches nothing in our network by them', async () => {
    const inside = [inner.issuer, 'http://169.254.169.254/', 'https://10.0.0.1', 'https://[::1]:8443', 'https://127.1'];
    for (const issuer of [...inside, 'file:///etc/passwd', 'https://user:pass@login.example', 'https://x.example/?a=b'])
      expect((await api.post('/providers', { ...NEW, issuer })).status).toBe(400);
    // A name that leads inside is seen when it is resolved.
    const named = await api.post('/providers', { ...NEW, name: 'named', issuer: 'https://localhost:8443' });
    expect(named.status).toBe(201);
    expect((await api.post('/providers/named/test')).body).toMatchObject({ ok: false, problem: 'unavailable' });
  });

  it('has no file of the server read, and sets nothing beyond the settings', async () => {
    for (const more of [
      { logo: '/etc/passwd.png' },
      { sealed: {} },
      { version: 9 },
      { source: 'config' },
      { shared: 1 },
    ])
      expect((await api.post('/providers', { ...NEW, ...more })).status).toBe(400);
    for (const name of ['__proto__', 'constructor', '../google', 'a b', 'A'])
      expect((await api.post('/providers', { ...NEW, name })).status).toBe(name === 'constructor' ? 201 : 400);
    expect((await api.get('/providers/toString')).status).toBe(404);
    expect((await api.delete('/providers/constructor')).status).toBe(204);
  });

  it('neither changes nor takes the place of one of the configuration, nor reads its secret', async () => {
    expect((await api.post('/providers', { ...NEW, name: 'google' })).status).toBe(409);
    expect((await api.patch('/providers/google', { client_id: 'theirs' })).status).toBe(409);
    expect((await api.delete('/providers/google')).status).toBe(409);
    const { body } = await api.get('/providers/google');
    expect(body).toMatchObject({ source: 'config', has_secret: true, client_id: 'us' });
    expect(JSON.stringify(body)).not.toContain('of-the-operator');
  });

  it('cannot have another address say who the people of GitHub are', async () => {
    const github = { name: 'hub', type: 'github', client_id: 'us', client_secret: 'ours' };
    const lying = await api.post('/providers', { ...github, api_url: 'https://evil.example' });
    expect([lying.status, JSON.stringify(lying.body)]).toEqual([400, expect.stringContaining('#/api_url')]);
    const own = { issuer: 'https://git.corp.example', api_url: 'https://git.corp.example/api/v3' };
    expect((await api.post('/providers', { ...github, ...own })).status).toBe(201);
  });

  it('never hears of a secret that was refused', async () => {
    const canary = 'canary-that-is-no-key';
    const apple = { name: 'fruit', type: 'apple', client_id: 'us', team_id: 't', key_id: 'k', private_key: canary };
    const { status, body } = await api.post('/providers', apple);
    expect([status, JSON.stringify([body, gatehouse.logged]).includes(canary)]).toEqual([400, false]);
  });
});
