import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClients } from '../../src/clients/clients.ts';
import type { NewClient } from '../../src/clients/clients.ts';
import { publicClient } from '../../src/clients/client.ts';
import { secretMatches } from '../../src/clients/secret.ts';
import { openStorage } from '../../src/storage/open.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

const open = async () => {
  const storage = await openStorage('sqlite::memory:');
  return { storage, clients: createClients({ store: storage.clients, consents: storage.consents }) };
};
const uri = 'https://app.example/cb';

describe('registering a client', () => {
  it.each([
    ['web', true],
    ['spa', false],
    ['native', false],
  ] as const)('of type %s gives a secret: %s', async (type, has) => {
    const { clients } = await open();
    const { client, client_secret } = await clients.register({ type, name: 'App', redirect_uris: [uri] });
    expect([client_secret !== undefined, client.secret_hash !== null]).toEqual([has, has]);
  });

  it.each(['service', 'api'] as const)('of type %s gives a secret and needs no redirect URI', async (type) => {
    const { clients } = await open();
    const { client_secret } = await clients.register({ type, name: 'App' });
    expect(Buffer.from(client_secret!, 'base64url')).toHaveLength(32);
  });

  it('stores a secret only as a hash', async () => {
    const { clients } = await open();
    const { client, client_secret } = await clients.register({ type: 'service', name: 'App' });
    expect(JSON.stringify(await clients.get(client.id))).not.toContain(client_secret);
    expect(secretMatches(client_secret!, client.secret_hash!)).toBe(true);
    expect(secretMatches(client.secret_hash!, client.secret_hash!)).toBe(false);
    expect(secretMatches('', client.secret_hash!)).toBe(false);
    expect(secretMatches('', '')).toBe(false);
  });

  it.each<[Partial<NewClient>, string]>([
    [{ redirect_uris: [] }, 'redirect_uris'],
    [{ redirect_uris: ['http://app.example/cb'] }, 'redirect_uris'],
    [{ redirect_uris: [uri, 'javascript:alert(1)'] }, 'redirect_uris'],
    [{ redirect_uris: ['com.example.app:/cb'] }, 'redirect_uris'],
    [{ post_logout_redirect_uris: ['http://app.example/bye'] }, 'post_logout_redirect_uris'],
    [{ type: 'service', redirect_uris: [uri] }, 'redirect_uris'],
    [{ type: 'nonsense' as never }, 'type'],
    [{ name: ' ' }, 'name'],
    [{ name: 'x'.repeat(201) }, 'name'],
    [{ scope: 'openid "email"' }, 'scope'],
    [{ scope: 'openid  email' }, 'scope'],
    [{ scope: '' }, 'scope'],
    [{ client_uri: 'javascript:alert(1)' }, 'client_uri'],
    [{ logo_uri: 'data:image/svg+xml,<svg/>' }, 'logo_uri'],
    [{ policy_uri: 'nonsense' }, 'policy_uri'],
    [{ tos_uri: 'file:///etc/passwd' }, 'tos_uri'],
    [{ initiate_login_uri: '//evil.example' }, 'initiate_login_uri'],
    [{ initiate_login_uri: 'http://localhost:8080/login' }, 'initiate_login_uri'],
    [{ type: 'native', redirect_uris: ['https://localhost:8443/cb'] }, 'redirect_uris'],
    [{ type: 'native', post_logout_redirect_uris: ['https://127.0.0.1/bye'] }, 'post_logout_redirect_uris'],
    [{ resource: 'https://api.example' }, 'resource'],
    [{ default_resource: 'https://nobody.example' }, 'default_resource'],
    [{ default_resource: 'not a uri' }, 'default_resource'],
    [{ type: 'api', redirect_uris: [], resource: 'https://api.example#x' }, 'resource'],
    [{ type: 'spa', always_issue_refresh_token: true }, 'always_issue_refresh_token'],
  ])('with %j is refused, naming the field', async (input, field) => {
    const { clients } = await open();
    await expect(clients.register({ type: 'web', name: 'App', redirect_uris: [uri], ...input })).rejects.toMatchObject({
      code: 'invalid_input',
      field,
    });
  });

  it('of two APIs with one identifier is refused the second time', async () => {
    const { clients } = await open();
    const api = { type: 'api', name: 'API', resource: 'https://api.example' } as const;
    await clients.register(api);
    await expect(clients.register(api)).rejects.toMatchObject({ code: 'duplicate', field: 'resource' });
  });

  it('shows everything but the hash of the secret', async () => {
    const { clients } = await open();
    const { client } = await clients.register({ type: 'web', name: 'App', redirect_uris: [uri] });
    const shown = publicClient(client);
    expect(shown).toMatchObject({
      client_id: client.id,
      has_secret: true,
      token_endpoint_auth_method: 'client_secret_basic',
    });
    expect(JSON.stringify(shown)).not.toContain('sha256:');
  });
});

describe('every client that is accepted', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  it.each<[string, NewClient]>([
    [
      'web',
      { type: 'web', name: 'App', redirect_uris: [uri, 'http://localhost/cb'], post_logout_redirect_uris: [uri] },
    ],
    [
      'with every page',
      {
        type: 'web',
        name: 'App',
        redirect_uris: [uri],
        client_uri: 'http://a.example',
        logo_uri: 'http://a.example/l.png',
        policy_uri: 'http://a.example/p',
        tos_uri: 'http://a.example/t',
        initiate_login_uri: 'https://a.example/l',
      },
    ],
    ['spa', { type: 'spa', name: '🦊', redirect_uris: [uri], scope: 'notes:read' }],
    [
      'native',
      {
        type: 'native',
        name: 'App',
        redirect_uris: ['com.example.app:/cb', 'http://127.0.0.1/cb', uri],
        scope: 'openid email offline_access',
      },
    ],
    [
      'first-party',
      {
        type: 'web',
        name: 'App',
        redirect_uris: [uri],
        first_party: true,
        always_issue_refresh_token: true,
        id_token_signed_response_alg: 'ES256',
      },
    ],
    ['service', { type: 'service', name: 'App', scope: 'openid email notes:read', post_logout_redirect_uris: [uri] }],
    ['api', { type: 'api', name: 'App', scope: 'openid email notes:read', resource: 'urn:x:y' }],
  ])('of kind %s is one that the provider can use', async (_kind, input) => {
    const app = await gatehouse.app(input);
    const { status, body } = await as(gatehouse, app).token({ grant_type: 'refresh_token', refresh_token: 'x' });
    expect(status).toBe(400);
    expect(body['error']).toMatch(/^(invalid_grant|invalid_request|unauthorized_client)$/);
  });
});

describe('a client secret', () => {
  it('replaced by two at once leaves one that works', async () => {
    const { clients } = await open();
    const { client } = await clients.register({ type: 'service', name: 'App' });
    const rotated = await Promise.all([clients.rotateSecret(client.id), clients.rotateSecret(client.id)]);
    const { secret_hash } = await clients.get(client.id);
    expect(rotated.filter(({ client_secret }) => secretMatches(client_secret!, secret_hash!))).toHaveLength(1);
  });

  it('of a public client cannot be replaced', async () => {
    const { clients } = await open();
    const { client } = await clients.register({ type: 'spa', name: 'App', redirect_uris: [uri] });
    await expect(clients.rotateSecret(client.id)).rejects.toMatchObject({ code: 'invalid_input' });
  });
});
