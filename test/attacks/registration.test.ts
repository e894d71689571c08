/** Whoever registers an app with hostile metadata (RFC 7591, section 5). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asking, bank, payment, PAYMENT } from '../support/authorization-details.ts';
import { clientKey } from '../support/client-keys.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, beginConsent, browserFor } from '../support/journey.ts';
import { APP, asApp, manage, registerApp, tryToRegister } from '../support/registration.ts';
import { relyingParty } from '../support/relying-party.ts';

const INSIDE = [
  'http://example.com/',
  'https://127.0.0.1/',
  'https://localhost/',
  'https://LOCALHOST./',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://[::1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://10.0.0.8/',
  'https://169.254.169.254/latest/meta-data',
  'https://db.internal/',
  'https://user:secret@example.com/',
  'file:///etc/passwd',
  'gopher://example.com/',
  'javascript:alert(1)',
  'data:application/json,{}',
  'not an address',
];
const FETCHED = [
  'jwks_uri',
  'logo_uri',
  'sector_identifier_uri',
  'backchannel_logout_uri',
  'backchannel_client_notification_endpoint',
];

describe('whoever registers an app', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse({
      GATEHOUSE_REGISTRATION_MODE: 'open',
      GATEHOUSE_LIMITS_REGISTRATION_ADDRESS: '5000',
    });
  });
  afterAll(() => gatehouse.stop());

  async function refused(body: unknown, error = 'invalid_client_metadata', status = 400) {
    const before = (await gatehouse.clients.list({ limit: 200 })).items.length;
    const answer = await tryToRegister(gatehouse, body);
    expect([answer.status, answer.body['error']]).toEqual([status, error]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await gatehouse.clients.list({ limit: 200 })).items.length).toBe(before);
  }

  it.each(FETCHED.flatMap((field) => INSIDE.map((uri) => [field, uri])))(
    'with %s %s makes us reach nothing inside (SSRF)',
    async (field, uri) => refused({ ...APP, [field]: uri }),
  );

  it.each([
    'javascript:alert(1)//https://notes.example',
    'data:text/html,<script>alert(1)</script>',
    'http://evil.example/cb',
    'https://notes.example/cb#fragment',
    'https://*.example/cb',
    'https://user@notes.example/cb',
    'https://notes.example\\@evil.example/cb',
    'com.example.notes:/cb',
    'notes://cb',
    '//evil.example/cb',
    'https://notes.example/ cb',
    '',
  ])('with the redirect URI %s is refused (RFC 9700, section 4.1)', async (uri) =>
    refused({ ...APP, redirect_uris: [uri] }, 'invalid_redirect_uri'),
  );

  it.each([
    ['client_uri', 'javascript:alert(1)'],
    ['policy_uri', 'data:text/html,x'],
    ['tos_uri', 'vbscript:x'],
    ['tos_uri', 'https://bank.example@evil.example/'],
    ['initiate_login_uri', 'http://notes.example/login'],
    ['frontchannel_logout_uri', 'https://victim.example/frame'],
  ])('with %s %s shows people no such link', async (field, uri) => refused({ ...APP, [field]: uri }));

  it.each([
    ['grant_types', ['client_credentials']],
    ['grant_types', ['urn:ietf:params:oauth:grant-type:device_code']],
    ['grant_types', ['password']],
    ['grant_types', ['implicit']],
    ['grant_types', []],
    ['grant_types', 'authorization_code'],
    ['response_types', ['token']],
    ['response_types', ['id_token']],
    ['response_types', ['id_token code']],
    ['scope', 'openid notes:write'],
    ['scope', 'openid roles'],
    ['scope', 'admin'],
    ['scope', ['openid']],
    ['token_endpoint_auth_method', 'nobody'],
    ['token_endpoint_auth_signing_alg', 'none'],
    ['id_token_signed_response_alg', 'none'],
    ['id_token_signed_response_alg', 'HS256'],
    ['request_object_signing_alg', 'none'],
    ['userinfo_signed_response_alg', 'HS256'],
    ['subject_type', 'another'],
    ['client_name', { toString: 'x' }],
    ['client_name', 'N'.repeat(201)],
    ['client_name', 'Bank\u202Egnp.exe'],
    ['client_name', 'Ba\u200Bnk'],
    ['client_name', 'Bank\nNotes'],
    ['redirect_uris', Array.from({ length: 21 }, (_, index) => `https://notes.example/${index}`)],
    ['contacts', ['not an address']],
    ['default_max_age', -1],
    ['default_acr_values', ['urn:of:nobody']],
    ['jwks', { keys: [] }],
    ['jwks', { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }],
    ['jwks', { keys: Array.from({ length: 21 }, () => ({})) }],
    ['jwks', 'https://notes.example/jwks'],
  ])('with %s %j gets nothing that the policy does not give', async (field, value) => {
    const error = field === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata';
    await refused({ ...APP, [field]: value }, error);
  });

  it('with a private key is told to keep it', async () => {
    const { jwks } = await clientKey();
    await refused({ ...APP, jwks: { keys: [{ ...jwks.keys[0], d: 'AAAA' }] } });
  });

  it.each([
    ['text', 'client_name=Notes'],
    ['half of it', '{"client_name":'],
    ['a list', '[]'],
    ['a word', '"notes"'],
    ['null', 'null'],
  ])('by a body that is %s is refused', async (_, body) => refused(body));

  it('by a huge body is refused before it is read', async () => {
    await refused(JSON.stringify({ ...APP, padding: 'x'.repeat(70_000) }), 'invalid_client_metadata', 413);
  });

  it('by deep nesting gets an answer, not a stack', async () => {
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    const unknown = await tryToRegister(gatehouse, `{"redirect_uris":["https://notes.example/cb"],"deep":${deep}}`);
    expect(unknown.status).toBe(201);
    expect(unknown.text).not.toContain('deep');
    await refused(`{"redirect_uris":${deep}}`, 'invalid_redirect_uri');
    await refused(`{"redirect_uris":["https://notes.example/cb"],"jwks":${deep}}`);
  });

  it('is given nothing that only admins give (mass assignment)', async () => {
    const wanted = {
      client_id: 'gatehouse-account',
      client_secret: 'chosen',
      id: 'app_chosen',
      type: 'service',
      first_party: true,
      dynamically_registered: false,
      default_resource: 'urn:someone:else',
      resource: 'urn:someone:else',
      theme: 'bank',
      identity_providers: ['google'],
      always_issue_refresh_token: true,
      fapi_profile: 'security',
      secret_hash: 'sha256:AAAA',
      protocol: { grant_types: ['client_credentials'] },
      version: 99,
      created_at: '1970-01-01T00:00:00.000Z',
      registration_access_token: 'chosen',
      registration_client_uri: 'https://evil.example/',
      constructor: { prototype: { first_party: true } },
    };
    const app = await registerApp(gatehouse, wanted);
    expect(app.client_id).not.toBe(wanted.client_id);
    expect(app.client_secret).not.toBe('chosen');
    expect(app.registration_access_token).not.toBe('chosen');
    const kept = await gatehouse.clients.get(app.client_id);
    expect(kept).toMatchObject({
      type: 'web',
      first_party: false,
      dynamically_registered: true,
      default_resource: null,
      resource: null,
      theme: null,
      identity_providers: [],
      always_issue_refresh_token: false,
      version: 1,
    });
    expect(kept.protocol).not.toHaveProperty('fapi_profile');
    const { status } = await tryToRegister(gatehouse, '{"__proto__":{"first_party":true}}');
    expect(status).toBe(400);
    expect(({} as { first_party?: boolean }).first_party).toBeUndefined();
  });

  it('reads no hash of a secret or token in any answer', async () => {
    const app = await registerApp(gatehouse);
    const read = await manage('GET', app.registration_client_uri, app.registration_access_token);
    const [kept, registration] = [
      await gatehouse.clients.get(app.client_id),
      await gatehouse.storage.registrations.find(app.client_id),
    ];
    for (const secret of [kept.secret_hash!, registration!.token_hash, 'secret_sealed', 'secret_hash'])
      for (const text of [read.text, JSON.stringify(app)]) expect(text).not.toContain(secret);
    // What a dump of the store holds opens nothing.
    expect((await manage('GET', app.registration_client_uri, registration!.token_hash)).status).toBe(401);
    const logged = JSON.stringify(gatehouse.logged);
    for (const secret of [app.client_secret!, app.registration_access_token]) expect(logged).not.toContain(secret);
  });

  it('with markup in its name has it shown as text', async () => {
    const client_name = '<img src=x onerror=alert(1)>';
    const rp = await relyingParty(gatehouse, asApp(await registerApp(gatehouse, { client_name })));
    const page = await beginConsent(rp, browserFor(rp), await gatehouse.person());
    expect(page.text).not.toContain('<img src=x');
    expect(page.text).toContain('&lt;img src=x');
  });

  it('gets no scope of an API that apps cannot ask for by themselves', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read notes:write' });
    const rp = await relyingParty(gatehouse, asApp(await registerApp(gatehouse)));
    const person = await gatehouse.person();
    const tokens = await rp.signIn(person, { scope: 'openid notes:read', resource: api.resource! });
    expect(tokens.scope ?? '').not.toContain('notes:');
  });

  it('asks for no details of an API until an admin lets it, whatever types it says it uses (RFC 9396)', async () => {
    const api = await bank(gatehouse);
    const registered = await registerApp(gatehouse, { authorization_details_types: [PAYMENT.type] });
    const rp = await relyingParty(gatehouse, asApp(registered));
    const ask = async () => {
      const { url } = await rp.request({ scope: 'openid', resource: api.resource!, ...asking(payment()) });
      return (await browserFor(rp).open(url)).url.searchParams.get('error');
    };
    expect(await ask()).toBe('invalid_authorization_details');
    await gatehouse.clients.update(registered.client_id, {
      protocol: { authorization_details_types: [PAYMENT.type] },
    });
    await eventually(async () => expect(await ask()).toBeNull());
  });

  it('cannot touch the record of another app, nor one that an admin registered', async () => {
    const [mine, theirs] = [await registerApp(gatehouse), await registerApp(gatehouse)];
    const { client_id } = await gatehouse.app();
    const token = mine.registration_access_token;
    for (const uri of [theirs.registration_client_uri, `${gatehouse.issuer}/register/${client_id}`])
      for (const method of ['GET', 'PUT', 'DELETE'])
        expect((await manage(method, uri, token, method === 'PUT' ? APP : undefined)).status).toBe(401);
    for (const wrong of [undefined, '', 'x', mine.client_secret])
      expect((await manage('GET', mine.registration_client_uri, wrong)).status).toBe(401);
    expect(await gatehouse.clients.find(theirs.client_id)).toBeDefined();
    expect(await gatehouse.clients.find(client_id)).toBeDefined();
  });

  it('cannot get by a change what it did not get by registering', async () => {
    const app = await registerApp(gatehouse);
    const same = { client_id: app.client_id, ...APP };
    const changes = [
      { scope: 'openid notes:write' },
      { grant_types: ['client_credentials'] },
      { jwks_uri: 'https://169.254.169.254/' },
      { client_id: 'gatehouse-account' },
      { client_secret: 'guessed' },
      { token_endpoint_auth_method: 'none' },
      { registration_access_token: app.registration_access_token },
      { client_secret_expires_at: 0 },
      { client_id_issued_at: 1 },
      { registration_client_uri: app.registration_client_uri },
    ];
    for (const change of changes) {
      const body = { ...same, ...change };
      const { status } = await manage('PUT', app.registration_client_uri, app.registration_access_token, body);
      expect([change, status]).toEqual([change, 400]);
    }
    const first = await manage('PUT', app.registration_client_uri, app.registration_access_token, {
      ...same,
      first_party: true,
    });
    expect(first.status).toBe(200);
    expect((await gatehouse.clients.get(app.client_id)).first_party).toBe(false);
  });

  it('changes its record once with one token, however many changes come at once', async () => {
    const app = await registerApp(gatehouse);
    const answers = await atOnce(8, (index) =>
      manage('PUT', app.registration_client_uri, app.registration_access_token, {
        client_id: app.client_id,
        ...APP,
        client_name: `Notes ${index}`,
      }),
    );
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
    expect(answers.filter(({ status }) => status === 401).length).toBe(7);
  });
});

describe('whoever floods the registration', () => {
  it('is stopped after twenty apps an hour, and a token for one app gives one', async () => {
    const gatehouse = await startGatehouse({ GATEHOUSE_REGISTRATION_MODE: 'open' });
    try {
      const { token } = await gatehouse.initialTokens.create({ name: 'One', uses: 1 });
      const withToken = await atOnce(8, () => tryToRegister(gatehouse, APP, token));
      expect(withToken.filter(({ status }) => status === 201).length).toBe(1);
      const rest = await atOnce(20, () => tryToRegister(gatehouse, APP));
      expect(rest.filter(({ status }) => status === 201).length).toBe(12);
      const [refused] = rest.filter(({ status }) => status === 429);
      expect(Number(refused!.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await gatehouse.stop();
    }
  });
});
