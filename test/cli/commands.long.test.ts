import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInside } from '../support/command-line.ts';
import { as } from '../support/endpoints.ts';
import { withApp } from '../support/factors.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { Browser } from '../support/browser.ts';
import { authorize, begin, enterPassword } from '../support/journey.ts';
import { withPasskey } from '../support/passkeys.ts';
import { relyingParty } from '../support/relying-party.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.js');
const PASSWORD = 'a pass phrase on a pipe';
type Json = Record<string, unknown>;

/** The command line beside a server on one SQLite file. */
describe('the command line', () => {
  let folder: string;
  let gatehouse: Running;
  let env: Record<string, string>;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-cli-'));
    env = {
      NODE_ENV: 'test',
      GATEHOUSE_DATA_DIR: folder,
      GATEHOUSE_STORAGE_URL: `sqlite:${path.join(folder, 'gatehouse.db')}`,
      GATEHOUSE_PASSWORDS_MEMORY_KIB: '8192',
    };
    gatehouse = await startGatehouse(env);
  });
  afterAll(async () => {
    await gatehouse.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(args: string[], { input = '', extra = {} }: { input?: string; extra?: Json } = {}) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...env, ...extra },
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('close', resolve)),
    ]);
    return { stdout, stderr, code };
  }
  const inside = (args: string[], extra: Record<string, string> = {}) => runInside(args, { ...env, ...extra });
  /** Exactly one JSON document, and nothing else. */
  async function json(...args: string[]): Promise<Json> {
    const { stdout, stderr, code } = await inside([...args, '--json']);
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as Json;
  }

  it('ends its process with 0, 1 or 2, and says a result on standard output, an error on standard error', async () => {
    const [done, failed, wrong] = await Promise.all([
      run(['client', 'list', '--json']),
      run(['client', 'show', 'nobody', '--json']),
      run(['client', 'nonsense']),
    ]);
    expect([done.code, JSON.parse(done.stdout), done.stderr]).toEqual([0, expect.any(Array), '']);
    expect([failed.code, failed.stdout, failed.stderr]).toEqual([1, '', 'error: no client has the id nobody\n']);
    expect([wrong.code, wrong.stdout]).toEqual([2, '']);
  });

  it('without a password on standard input sets none', async () => {
    const { code, stderr } = await run(['user', 'set-password', 'nobody@example.com', '--json']);
    expect([code, stderr]).toEqual([1, 'error: standard input holds no password\n']);
  });

  it('changes an e-mail at once where an admin knows the new one, and otherwise mails a link to it', async () => {
    const { sub } = await gatehouse.person({ email: 'moving@example.com' });
    const moved = await json('user', 'change-email', 'moving@example.com', 'moved@example.com', '--confirmed');
    expect(moved).toMatchObject({ sub, email: 'moved@example.com', email_verified: true });
    const ask = ['user', 'change-email', sub, 'further@example.com', '--json'];
    const without = await inside(ask);
    expect([without.code, without.stdout]).toEqual([1, '']);
    expect(without.stderr).toContain('no mail can be sent');
    const { code, stdout } = await inside(ask, { GATEHOUSE_MAIL_SMTP_URL: 'smtp://127.0.0.1:9' });
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { sub, email: 'moved@example.com', new_email: 'further@example.com', confirmed: false },
    ]);
    const { items } = await gatehouse.mail.outbox.list('waiting', { limit: 10, after: undefined });
    expect(items.map(({ message }) => message)).toMatchObject([
      { to: 'further@example.com', template: 'change-email-confirm' },
    ]);
    const taken = await inside(['user', 'change-email', sub, 'nonsense', '--confirmed', '--json']);
    expect([taken.code, taken.stderr]).toEqual([1, 'error: nonsense is not an e-mail address\n']);
  });

  it('makes tokens to register apps with, shows each once, and revokes them', async () => {
    const made = await json('registration-token', 'create', '--name', 'Partner', '--uses', '2', '--expires-in', '3600');
    expect(made).toMatchObject({ name: 'Partner', uses: 0, most_uses: 2, token: expect.any(String) as string });
    const listed = await inside(['registration-token', 'list', '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ id: made['id'], name: 'Partner' }]);
    expect(listed.stdout).not.toContain(String(made['token']));
    expect(listed.stdout).not.toContain('hash');
    expect(await json('registration-token', 'revoke', String(made['id']))).toEqual({ id: made['id'], revoked: true });
    const again = await inside(['registration-token', 'revoke', String(made['id'])]);
    expect([again.code, again.stderr]).toEqual([1, `error: there is no registration token ${String(made['id'])}\n`]);
    expect((await inside(['registration-token', 'create', '--name', 'x', '--uses', '0'])).code).toBe(2);
  });

  it('creates a web client that the running server knows at once', async () => {
    const client = await json(
      'client',
      'create',
      '--type',
      'web',
      '--name',
      'CLI app',
      '--redirect-uri',
      'https://app.example/callback',
      '--redirect-uri',
      'https://app.example/two',
      '--post-logout-redirect-uri',
      'https://app.example/bye',
      '--scope',
      'openid',
      '--scope',
      'email profile',
      '--first-party',
    );
    expect(client).toMatchObject({
      type: 'web',
      client_name: 'CLI app',
      redirect_uris: ['https://app.example/callback', 'https://app.example/two'],
      post_logout_redirect_uris: ['https://app.example/bye'],
      scope: 'openid email profile',
      first_party: true,
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const app = {
      client_id: String(client['client_id']),
      client_secret: String(client['client_secret']),
      redirect_uri: 'https://app.example/callback',
      resource: null,
    };
    const rp = await relyingParty(gatehouse, app);
    expect((await rp.signIn(await gatehouse.person())).access_token).toBeTypeOf('string');
  });

  it.each([
    [['spa', '--redirect-uri', 'https://spa.example/cb'], false],
    [['native', '--redirect-uri', 'com.example.app:/cb'], false],
    [['service', '--scope', 'notes:read'], true],
    [['api', '--scope', 'notes:read', '--resource', 'https://api.example'], true],
    [['api', '--scope', 'notes:read', '--access-token-format', 'opaque'], true],
  ])('creates a client of type %j, with a secret: %s', async ([type, ...rest], secret) => {
    const client = await json('client', 'create', '--type', type!, '--name', 'X', ...rest);
    expect([client['type'], 'client_secret' in client]).toEqual([type, secret]);
    expect(client).not.toHaveProperty('secret_hash');
  });

  it('lists, shows, gives a new secret to and deletes a client', async () => {
    const app = await gatehouse.app({ type: 'service' });
    const list = (await json('client', 'list')) as unknown as Json[];
    expect(list.map((one) => one['client_id'])).toContain(app.client_id);
    expect(JSON.stringify(list)).not.toMatch(/client_secret"|sha256:/);
    expect(await json('client', 'show', app.client_id)).toMatchObject({ client_id: app.client_id, has_secret: true });
    const { client_secret } = await json('client', 'rotate-secret', app.client_id, '--overlap', '0');
    expect((await as(gatehouse, app).clientCredentials()).status).toBe(401);
    expect((await as(gatehouse, { ...app, client_secret: String(client_secret) }).clientCredentials()).status).toBe(
      200,
    );
    expect(await json('client', 'delete', app.client_id)).toEqual({ client_id: app.client_id, deleted: true });
    expect((await inside(['client', 'show', app.client_id])).code).toBe(1);
  });

  it('changes what is named of a client, puts back what is cleared, and leaves the rest', async () => {
    const app = await gatehouse.app({ first_party: true, redirect_uris: ['https://a.example/cb'] });
    const id = app.client_id;
    const changed = await json(
      ...['client', 'update', id, '--name', 'Renamed', '--redirect-uri', 'https://b.example/cb'],
      ...['--access-token-lifetime', '300', '--id-token-profile-claims', 'off', '--auth-method', 'client_secret_post'],
    );
    expect(changed).toMatchObject({
      client_name: 'Renamed',
      redirect_uris: ['https://b.example/cb'],
      first_party: true,
      access_token_lifetime: 300,
      id_token_profile_claims: false,
      token_endpoint_auth_method: 'client_secret_post',
    });
    const cleared = await json(
      ...['client', 'update', id, '--clear', 'first_party', 'access_token_lifetime', 'token_endpoint_auth_method'],
    );
    expect(cleared).toMatchObject({
      client_name: 'Renamed',
      first_party: false,
      token_endpoint_auth_method: 'client_secret_basic',
    });
    expect(cleared).not.toHaveProperty('access_token_lifetime');
  });

  it('creates a person who can sign in at once', async () => {
    const args = [
      'user',
      'create',
      '--email',
      'cli@example.com',
      '--name',
      'CLI Person',
      '--role',
      'admin',
      '--role',
      'editor',
      '--email-verified',
      '--password-stdin',
      '--json',
    ];
    const { stdout, code } = await run(args, { input: `${PASSWORD}\n` });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      email: 'cli@example.com',
      roles: ['admin', 'editor'],
      email_verified: true,
      state: 'active',
      has_password: true,
    });
    expect(stdout).not.toContain('argon2');
    const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    const tokens = await rp.signIn({ sub: '', email: 'cli@example.com', password: PASSWORD });
    expect(tokens.claims()).toMatchObject({ name: 'CLI Person', email_verified: true });
  });

  it('creates a person without a password', async () => {
    expect(await json('user', 'create', '--email', 'bare@example.com', '--name', 'Bare')).toMatchObject({
      has_password: false,
      email_verified: false,
    });
  });

  it('suspends, and sessions and tokens end in the running server', async () => {
    const person = await gatehouse.person();
    const app = await gatehouse.app();
    const rp = await relyingParty(gatehouse, app);
    const browser = new Browser(gatehouse.issuer);
    const { callback, checks } = await authorize(rp, person, { scope: 'openid offline_access' }, browser);
    const { refresh_token } = await rp.redeem(callback, checks);
    expect(await json('user', 'suspend', person.email)).toMatchObject({ sub: person.sub, state: 'suspended' });
    expect((await as(gatehouse, app).refresh(refresh_token!)).status).toBe(400);
    expect((await begin(rp, browser, { prompt: 'none' })).url.searchParams.get('error')).toBe('login_required');
    expect(await json('user', 'resume', person.sub)).toMatchObject({ state: 'active' });
  });

  it('unlocks a person whose wrong passwords are used up, and lets nobody else in with it', async () => {
    const [person, other] = [await gatehouse.person(), await gatehouse.person()];
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(await relyingParty(gatehouse, await gatehouse.app()), browser);
    const enter = (email: string, password: string) => browser.submit(page, { email, password });
    for (const { email } of [person, other])
      for (let index = 0; index < 10; index += 1) await enter(email, 'tr0ubadour and stapler');
    expect((await enter(person.email, person.password)).status).toBe(429);

    const unlocked = await json('user', 'unlock', person.email.toUpperCase());
    expect(unlocked).toMatchObject({ sub: person.sub, email: person.email });
    expect(unlocked['counters_cleared']).toBeGreaterThan(0);
    expect((await enter(other.email, other.password)).status).toBe(429);
    expect((await enter(person.email, person.password)).status).toBe(200);
    expect((await json('user', 'unlock', person.sub))['counters_cleared']).toBeTypeOf('number');
  });

  it('lists and shows people by e-mail in any spelling, or by sub', async () => {
    const person = await gatehouse.person();
    expect(((await json('user', 'list')) as unknown as Json[]).map((one) => one['sub'])).toContain(person.sub);
    expect(await json('user', 'show', person.email.toUpperCase())).toMatchObject({ sub: person.sub });
    expect(await json('user', 'show', person.sub)).toMatchObject({ email: person.email, identities: [] });
  });

  it('shows the passkeys of a person and removes one, but not the last way in', async () => {
    const person = await gatehouse.person();
    for (let count = 0; count < 2; count += 1) await withPasskey(gatehouse, person);
    const { passkeys } = (await json('user', 'show', person.sub)) as unknown as { passkeys: Json[] };
    expect(passkeys).toMatchObject([{ name: 'Passkey', synced: true, last_used_at: null }, { name: 'Passkey' }]);
    expect(JSON.stringify(passkeys)).not.toContain('public_key');
    const [first, last] = passkeys.map(({ id }) => String(id));
    expect(await json('user', 'remove-passkey', person.email, first!)).toMatchObject({ removed: true });
    const again = await inside(['user', 'remove-passkey', person.email, first!]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('there is no such passkey')]);
    const account = (await gatehouse.accounts.find(person.sub))!;
    await gatehouse.storage.accounts.update({ ...account, password_hash: null });
    const refused = await inside(['user', 'remove-passkey', person.email, last!]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('the last way into an account')]);
  });

  it('shows second factors without secrets, and takes them away with all sessions', async () => {
    const person = await gatehouse.person();
    const { secret, codes } = await withApp(gatehouse, person);
    const shown = await json('user', 'show', person.email);
    expect(shown['second_factors']).toMatchObject({ totp: true, recovery_codes_left: 10, remembered_devices: [] });
    for (const hidden of [secret, ...codes]) expect(JSON.stringify(shown)).not.toContain(hidden);
    expect(await json('user', 'reset-factors', person.email)).toMatchObject({
      sub: person.sub,
      second_factors: { totp: false, passkeys: 0, recovery_codes_left: 0 },
    });
  });

  it('sets a password read from standard input', async () => {
    const person = await gatehouse.person();
    const { code, stdout } = await run(['user', 'set-password', person.email, '--json'], { input: PASSWORD });
    expect([code, (JSON.parse(stdout) as Json)['sub']]).toEqual([0, person.sub]);
    const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    const browser = new Browser(gatehouse.issuer);
    const page = await enterPassword(browser, await begin(rp, browser), { ...person, password: PASSWORD });
    expect(page.url.searchParams.has('code')).toBe(true);
  });

  it('deletes a person', async () => {
    const person = await gatehouse.person();
    expect(await json('user', 'delete', person.email)).toEqual({ sub: person.sub, deleted: true });
    expect((await inside(['user', 'show', person.sub])).code).toBe(1);
  });

  it('checks and shows the configuration, secrets masked', async () => {
    expect(await json('config', 'check')).toMatchObject({ ok: true, environment: 'test' });
    const shown = await inside(['config', 'show'], { GATEHOUSE_SECRETS_COOKIE_KEYS: 'very-secret-indeed' });
    expect(shown.stdout).toContain('cookie_keys:');
    expect(shown.stdout).not.toContain('very-secret-indeed');
    expect(await json('config', 'show')).toMatchObject({ secrets: { encryption_key: '***' } });
  });

  it('says every problem of a configuration on standard error, with 1', async () => {
    const wrong = { GATEHOUSE_PORT: 'many', GATEHOUSE_LOG_LEVEL: 'loud' };
    const { code, stdout, stderr } = await inside(['config', 'check', '--json'], wrong);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('port: ');
    expect(stderr).toContain('log.level: ');
  });

  it.each([
    [['client', 'show', 'nobody'], 'no client has the id nobody'],
    [['client', 'delete', 'nobody'], 'no client has the id nobody'],
    [['client', 'rotate-secret', 'nobody'], 'no client has the id nobody'],
    [['client', 'update', 'nobody', '--name', 'X'], 'no client has the id nobody'],
    [['client', 'update', 'gatehouse-console', '--clear', 'secret_hash'], 'secret_hash cannot be cleared'],
    [['user', 'show', 'nobody@example.com'], 'no account is nobody@example.com'],
    [['user', 'unlock', 'nobody@example.com'], 'no account is nobody@example.com'],
    [['user', 'suspend', 'usr_nobody'], 'no account is usr_nobody'],
    [['user', 'create', '--email', 'nonsense', '--name', 'X'], 'nonsense is not an e-mail address'],
    [['client', 'create', '--type', 'web', '--name', 'X'], 'needs a redirect URI'],
    [['client', 'create', '--type', 'web', '--name', 'X', '--redirect-uri', 'http://a.example'], 'must use https'],
  ])('answers %j with 1 and the reason on standard error', async (args, reason) => {
    const { code, stdout, stderr } = await inside([...args, '--json']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain(' at ');
  });

  it.each([
    [[]],
    [['nonsense']],
    [['client']],
    [['client', 'nonsense']],
    [['client', 'show']],
    [['client', 'create', '--type', 'nonsense', '--name', 'X']],
    [['client', 'create', '--type', 'web']],
    [['user', 'list', '--nonsense']],
    [['user', 'show', 'a', 'b']],
  ])('answers %j with 2: it is used wrongly', async (args) => {
    const { code, stdout, stderr } = await inside(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).not.toBe('');
  });

  it.each([[['--help']], [['client', '--help']], [['--version']]])('answers %j with 0', async (args) => {
    const { code, stdout } = await inside(args);
    expect(code).toBe(0);
    expect(stdout).not.toBe('');
  });

  it('refuses a password of 1 MB', async () => {
    const person = await gatehouse.person();
    const { code, stderr } = await run(['user', 'set-password', person.email], { input: 'x'.repeat(1_000_000) });
    expect(code).toBe(1);
    expect(stderr).toContain('at most 256 characters');
  });

  it('says when the store cannot be opened', async () => {
    const { code, stderr } = await inside(['client', 'list'], { GATEHOUSE_STORAGE_URL: `sqlite:${MAIN}/x.db` });
    expect(code).toBe(1);
    expect(stderr).toContain('The store cannot be opened');
    expect(stderr).not.toContain(' at ');
  });

  it('shows people a table without --json', async () => {
    const { stdout } = await inside(['client', 'list']);
    expect(stdout.split('\n')[0]).toMatch(/^client_id +type +client_name/);
  });

  it('leaves a store that nobody else can read', () => {
    expect(statSync(path.join(folder, 'gatehouse.db')).mode & 0o077).toBe(0);
    expect(statSync(path.join(folder, 'secrets.json')).mode & 0o077).toBe(0);
  });
});

describe('npm start', () => {
  const start = (env: Json) => {
    const main = path.resolve(import.meta.dirname, '../../src/main.js');
    return spawn(process.execPath, [main], { env: { PATH: process.env['PATH'], ...env } });
  };
  const ended = (child: ReturnType<typeof start>) =>
    new Promise<number | null>((resolve) => child.on('close', resolve));

  it('says when it is ready, and ends when told to', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-start-'));
    const child = start({
      NODE_ENV: 'test',
      GATEHOUSE_DATA_DIR: folder,
      GATEHOUSE_PORT: '0',
      GATEHOUSE_DEMO_ENABLED: 'true',
    });
    const line = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data: Buffer) => resolve(data.toString())),
    );
    expect(line).toMatch(/^Gatehouse \S+ is ready at http:\S+ .*SQLite in .* — sign in as demo@example.com \/ .*\n/);
    child.kill('SIGTERM');
    expect(await ended(child)).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('in production without a configuration names every problem and ends with 1', async () => {
    const child = start({ NODE_ENV: 'production', GATEHOUSE_ISUER: 'x' });
    const [stderr, code] = await Promise.all([text(child.stderr), ended(child)]);
    expect(code).toBe(1);
    expect(stderr).toContain('The configuration has 4 problems');
    expect(stderr).toContain('the nearest is GATEHOUSE_ISSUER');
    expect(stderr).not.toContain(' at ');
  });

  it('on a port that is taken says so and ends with 1', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-start-'));
    const child = start({
      NODE_ENV: 'test',
      GATEHOUSE_DATA_DIR: folder,
      GATEHOUSE_STORAGE_URL: 'sqlite::memory:',
      GATEHOUSE_PORT: String(port),
    });
    const [stderr, code] = await Promise.all([text(child.stderr), ended(child)]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`port ${port} is in use`)]);
    server.close();
    rmSync(folder, { recursive: true });
  });
});
