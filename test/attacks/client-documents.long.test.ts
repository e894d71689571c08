/** Whoever has us read a document of their choice (draft-ietf-oauth-client-id-metadata-document, section 6; OWASP SSRF). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDocument } from '../../src/registration/document.ts';
import { asking, bank, payment, PAYMENT } from '../support/authorization-details.ts';
import { Browser } from '../support/browser.ts';
import { documentSite } from '../support/client-documents.ts';
import type { Published, Site } from '../support/client-documents.ts';
import { answer } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { startInside } from '../support/inside.ts';
import type { Inside } from '../support/inside.ts';
import { atOnce, beginConsent, browserFor, heading } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const query = (client_id: string, redirect_uri = 'https://agent.example/callback') =>
  new URLSearchParams({
    client_id,
    redirect_uri,
    response_type: 'code',
    scope: 'openid',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  }).toString();

/** `{port}` is one where somebody on this machine counts who comes. */
const INSIDE = [
  'https://127.0.0.1:{port}/client.json',
  'https://localhost:{port}/client.json',
  'https://localhost.:{port}/client.json',
  'https://127.1:{port}/client.json',
  'https://2130706433:{port}/client.json',
  'https://0x7f000001:{port}/client.json',
  'https://0177.0.0.1:{port}/client.json',
  'https://0.0.0.0:{port}/client.json',
  'https://[::1]:{port}/client.json',
  'https://[::]:{port}/client.json',
  'https://[::ffff:127.0.0.1]:{port}/client.json',
  'https://[::ffff:7f00:1]:{port}/client.json',
  'https://[::7f00:1]:{port}/client.json',
  'https://[64:ff9b::7f00:1]:{port}/client.json',
  'https://10.0.0.1/client.json',
  'https://172.16.0.1/client.json',
  'https://192.168.1.1/client.json',
  'https://169.254.169.254/latest/meta-data',
  'https://[fe80::1]/client.json',
  'https://[fd00:ec2::254]/latest/meta-data',
  'https://metadata.internal/client.json',
  'https://printer.local/client.json',
];

describe('whoever names a document', () => {
  let gatehouse: Running;
  let inside: Inside;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_CLIENT_DOCUMENTS_MODE: 'open' });
    inside = await startInside();
  });
  afterAll(async () => {
    await gatehouse.stop();
    await inside.stop();
  });

  it.each(INSIDE)('at %s makes us reach nothing inside, at any endpoint', async (template) => {
    const client_id = template.replace('{port}', String(inside.port));
    const page = await new Browser(gatehouse.issuer).open(`/auth?${query(client_id)}`);
    expect([page.status, page.url.origin]).toEqual([400, gatehouse.issuer]);
    expect(page.text).not.toMatch(/ECONN|refused by|public host/);
    for (const path of ['/request', '/token', '/token/revocation', '/token/introspection', '/device/auth']) {
      const body = new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(query(client_id))), token: 'x' });
      const { status, text } = await answer(await fetch(gatehouse.issuer + path, { method: 'POST', body }));
      expect([path, status >= 400 && status < 500]).toEqual([path, true]);
      expect(text).not.toMatch(/ECONN|public host/);
    }
    expect(inside.connections()).toBe(0);
  });

  it.each([
    'http://agent.example/client.json',
    'https://agent.example',
    'https://agent.example/',
    'https://agent.example/client.json?',
    'https://agent.example/?a=1',
    'https://agent.example/client.json?a=b c',
    'https://agent.example/client.json?a=1#x',
    'https://agent.example/client.json#x',
    'https://bank.example@agent.example/client.json',
    'https://agent.example/a/../client.json',
    'https://agent.example/%2e%2e/client.json',
    'https://agent.example//client.json',
    'https://AGENT.example/client.json',
    'https://agent.example:443/client.json',
    'https://agent.example./client.json',
    'https://agent.example\\client.json',
    'https://agent.example/cl ient.json',
    'https://\u0430gent.example/client.json',
    `https://agent.example/${'a'.repeat(300)}`,
    'HTTPS://agent.example/client.json',
    'https:agent.example/client.json',
  ])('by the id %s, of which there is another spelling or none, is refused', async (client_id) => {
    const page = await new Browser(gatehouse.issuer).open(`/auth?${query(client_id)}`);
    expect([page.status, page.url.origin]).toEqual([400, gatehouse.issuer]);
  });

  it('at our own address does not have us ask ourselves', async () => {
    const page = await new Browser(gatehouse.issuer).open(`/auth?${query(`${gatehouse.issuer}/client.json`)}`);
    expect(page.status).toBe(400);
  });
});

describe('a document', () => {
  let gatehouse: Running;
  let site: Site;
  let other: Site;
  beforeAll(async () => {
    [site, other] = [await documentSite(), await documentSite()];
    gatehouse = await startGatehouse({
      GATEHOUSE_CLIENT_DOCUMENTS_MODE: 'open',
      GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true',
      GATEHOUSE_LIMITS_CLIENT_DOCUMENT_ADDRESS: '1000',
    });
  });
  afterAll(async () => {
    await gatehouse.stop();
    await other.stop();
    await site.stop();
  });

  let serial = 0;
  const path = () => `/${(serial += 1)}.json`;
  const open = (client_id: string, redirect_uri?: string) =>
    new Browser(gatehouse.issuer).open(`/auth?${query(client_id, redirect_uri)}`);
  async function refused(client_id: string, redirect_uri?: string): Promise<void> {
    const page = await open(client_id, redirect_uri);
    expect([page.status, page.url.origin]).toEqual([400, gatehouse.issuer]);
    expect(await gatehouse.clients.find(client_id)).toBeUndefined();
  }

  it('as it should be is taken', async () => {
    expect((await open(site.publish(path()).client_id)).status).toBe(200);
  });

  it.each<[string, object]>([
    ['client_id', { client_id: 'https://bank.example/client.json' }],
    ['client_id', { client_id: undefined }],
    ['client_secret', { client_secret: 'x' }],
    ['client_secret_expires_at', { client_secret_expires_at: 0 }],
    ['token_endpoint_auth_method', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['token_endpoint_auth_method', { token_endpoint_auth_method: 'client_secret_post' }],
    ['token_endpoint_auth_method', { token_endpoint_auth_method: 'client_secret_jwt' }],
    ['token_endpoint_auth_method', { token_endpoint_auth_method: 'tls_client_auth' }],
    ['keys', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['keys', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }],
    ['grant_types', { grant_types: ['client_credentials'] }],
    ['grant_types', { grant_types: ['implicit'], response_types: ['token'] }],
    ['redirect_uris', { redirect_uris: [] }],
    ['redirect_uris', { redirect_uris: 'https://agent.example/callback' }],
    ['redirect_uris', { redirect_uris: ['http://agent.example/callback'] }],
    ['redirect_uris', { redirect_uris: ['https://*.example/callback'] }],
    ['redirect_uris', { redirect_uris: ['https://agent.example/callback#x'] }],
    ['redirect_uris', { redirect_uris: ['javascript:alert(1)'] }],
    ['redirect_uris', { redirect_uris: ['agent://callback'] }],
    ['redirect_uris', { redirect_uris: ['https://agent.example\\@bank.example/callback'] }],
    ['client_name', { client_name: 'Bank\u202Egnp.exe' }],
    ['client_name', { client_name: 'N'.repeat(201) }],
    ['subject_type', { subject_type: 'nobody' }],
  ])('with a hostile %s (%j) is refused', async (_field, document) => {
    const at = path();
    site.publish(at, document);
    await refused(site.origin + at);
  });

  it.each<[string, Published]>([
    ['a page', { headers: { 'content-type': 'text/html' }, body: '<html></html>' }],
    ['JSON that says it is a script', { headers: { 'content-type': 'text/javascript' }, body: '{}' }],
    ['no type at all', { headers: { 'content-type': '' }, body: '{}' }],
    ['half a document', { body: '{"client_id":' }],
    ['a list', { body: '[]' }],
    ['null', { body: 'null' }],
    ['a prototype', { body: '{"__proto__":{"client_id":"x"}}' }],
    ['a megabyte', { body: `{"client_name":"${'x'.repeat(1_000_000)}"}` }],
    ['a hundred thousand brackets', { body: `${'['.repeat(8000)}${']'.repeat(8000)}` }],
    ['without an end', { body: '{"client_id":', stalls: true }],
    ['whole, but never ended', { body: '{"client_id":"https://agent.example/client.json"}', stalls: true }],
    ['an error', { status: 500, body: '{}' }],
    ['a 201', { status: 201, body: '{}' }],
    ['a 206', { status: 206, body: '{}' }],
  ])('that is %s is refused without a failure', async (_what, published) => {
    await refused(site.answer(path(), published));
  });

  it.each([301, 302, 303, 307, 308])('that moved (%i) is not followed to where it went', async (status) => {
    const target = new URL(other.publish('/target.json').client_id);
    const from = site.answer(path(), { status, headers: { location: target.href }, body: '{}' });
    await refused(from);
    expect(other.asked).not.toContain(target.pathname);
  });

  it('of one app names no address that its document does not', async () => {
    await refused(site.publish(path()).client_id, 'https://evil.example/callback');
  });

  it('gives its app nothing that only admins give (mass assignment)', async () => {
    const app = site.publish(path(), {
      first_party: true,
      type: 'service',
      fapi_profile: 'security',
      token_exchange: { audiences: ['urn:x'] },
      default_resource: 'urn:x',
      identity_providers: ['google'],
      theme: 'bank',
      scope: 'openid roles users:write',
      document_name: 'Bank',
      id: 'gatehouse-console',
      logo_uri: 'http://169.254.169.254/logo.png',
    });
    const rp = await relyingParty(gatehouse, app);
    const person = await gatehouse.person();
    const page = await beginConsent(rp, browserFor(rp), person, { scope: 'openid' });
    expect(heading(page)).toBe(`${site.host} wants access`);
    await rp.signIn(person, { scope: 'openid' });
    expect(await gatehouse.clients.get(app.client_id)).toMatchObject({
      type: 'spa',
      client_name: site.host,
      document_name: 'Travel Agent',
      first_party: false,
      scope: 'openid',
      default_resource: null,
      identity_providers: [],
      theme: null,
      logo_uri: null,
    });
  });

  it('asks for no details of an API, whatever types it says it uses (RFC 9396)', async () => {
    const api = await bank(gatehouse);
    const rp = await relyingParty(gatehouse, site.publish(path(), { authorization_details_types: [PAYMENT.type] }));
    const { url } = await rp.request({ scope: 'openid', resource: api.resource!, ...asking(payment()) });
    const page = await new Browser(gatehouse.issuer).open(url);
    expect(page.url.searchParams.get('error')).toBe('invalid_authorization_details');
  });

  it('that calls itself what a registered app is called is named by its host all the same', async () => {
    await gatehouse.app({ name: 'Payroll of Acme', first_party: true });
    for (const client_name of ['Payroll of Acme', 'P\u0430yroll of Acme', 'accounts.acme.example']) {
      const app = site.publish(path(), { client_name, client_uri: 'https://accounts.acme.example' });
      const rp = await relyingParty(gatehouse, app);
      const browser = browserFor(rp);
      expect(heading(await browser.open((await rp.request()).url))).toContain(site.host);
      const page = await beginConsent(rp, browser, await gatehouse.person());
      expect(heading(page)).toBe(`${site.host} wants access`);
      expect(page.html.querySelector('.gh-callout--warn')!.text).toContain('Nobody has checked');
    }
  });

  it.each([
    ['https://xn--pple-43d.com/client.json', 'xn--pple-43d.com'],
    ['https://accounts.google.com.agent.example/client.json', 'accounts.google.com.agent.example'],
    ['https://agent.example:8443/accounts.google.com/client.json', 'agent.example:8443'],
  ])('at %s is shown by the host that it has, letter by letter (homoglyphs; RFC 5891)', (client_id, name) => {
    const body = { client_id, client_name: 'Apple', redirect_uris: ['https://agent.example/callback'] };
    const client_documents = { scopes: ['email'], redirect_schemes: ['https'] };
    const settings = { client_documents, allowPrivate: false, isPublicHost: () => true };
    expect(readDocument(client_id, Buffer.from(JSON.stringify(body)), settings as never).name).toBe(name);
  });

  it('with markup in its name has it shown as text', async () => {
    const app = site.publish(path(), { client_name: '"><img src=x onerror=alert(1)>' });
    const rp = await relyingParty(gatehouse, app);
    const page = await beginConsent(rp, browserFor(rp), await gatehouse.person());
    expect(page.text).not.toContain('<img src=x');
  });

  it('asked for by thirty at once is read once', async () => {
    const { client_id } = site.publish(path());
    await atOnce(30, () => open(client_id));
    expect(site.asked.filter((asked) => client_id.endsWith(asked))).toHaveLength(1);
  });
});

describe('a host that is denied', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse({
      GATEHOUSE_CLIENT_DOCUMENTS_MODE: 'open',
      GATEHOUSE_CLIENT_DOCUMENTS_DENY: 'evil.example,*.worse.example,odd.example:8443',
    });
  });
  afterAll(() => gatehouse.stop());

  it.each([
    ['https://evil.example/client.json', true],
    ['https://evil.example:8443/client.json', true],
    ['https://a.worse.example/client.json', true],
    ['https://a.worse.example:8443/client.json', true],
    ['https://odd.example:8443/client.json', true],
    ['https://odd.example/client.json', false],
    ['https://notevil.example/client.json', false],
  ])('is denied whatever its port: %s', async (client_id, denied) => {
    expect((await new Browser(gatehouse.issuer).open(`/auth?${query(client_id)}`)).status).toBe(400);
    const told = gatehouse.logged.filter((line) => JSON.stringify(line).includes(`${client_id} is denied by`));
    expect(told.length > 0).toBe(denied);
  });
});

describe('whoever has us read one document after another', () => {
  it('is stopped after a hundred an hour', async () => {
    const site = await documentSite();
    const gatehouse = await startGatehouse({
      GATEHOUSE_CLIENT_DOCUMENTS_MODE: 'open',
      GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true',
    });
    const statuses: number[] = [];
    for (let count = 0; count < 105; count += 1)
      statuses.push(
        (await new Browser(gatehouse.issuer).open(`/auth?${query(site.answer(`/${count}`, { body: '{}' }))}`)).status,
      );
    expect(new Set(statuses.slice(0, 98))).toEqual(new Set([400]));
    expect(statuses.slice(100)).toEqual([429, 429, 429, 429, 429]);
    expect(site.asked.length).toBeLessThanOrEqual(100);
    await gatehouse.stop();
    await site.stop();
  });
});
