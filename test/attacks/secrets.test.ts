import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../storage/support/test-database.ts';
import { Browser } from '../support/browser.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { PASSWORD, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import {
  authorize,
  backToNow,
  begin,
  beginConsent,
  enterPassword,
  fieldValue,
  linkNamed,
  passTime,
} from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const COOKIE_KEY = 'the-cookie-key-of-this-test';
const onMongodb = process.env['FLOWS_ON'] === 'mongodb';

/** Every value in the store, as text; bytes also in base64url and hex. */
type Dump = string[];

const texts = (value: unknown): string[] => {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    return [bytes.toString('latin1'), bytes.toString('base64url'), bytes.toString('base64'), bytes.toString('hex')];
  }
  if (typeof value === 'object' && value !== null)
    return [JSON.stringify(value), ...Object.values(value).flatMap(texts)];
  return [String(value)];
};

function dumpSqlite(file: string): Dump {
  const database = new DatabaseSync(file, { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const values = tables.flatMap(({ name }) =>
    database
      .prepare(`SELECT * FROM "${String(name)}"`)
      .all()
      .flatMap((row) => Object.values(row).flatMap(texts)),
  );
  database.close();
  return values;
}

async function dumpMongodb(url: string): Promise<Dump> {
  const connection = await createConnection(url).asPromise();
  const values: Dump = [];
  for (const { name } of await connection.db!.listCollections().toArray())
    for (const document of await connection.db!.collection(name).find().toArray())
      values.push(
        ...texts(JSON.parse(JSON.stringify(document))),
        ...Object.values(document).flatMap((v) => texts((v as { buffer?: unknown })?.buffer ?? v)),
      );
  await connection.close();
  return values;
}

describe('after a busy run', () => {
  let gatehouse: Running;
  let folder: string;
  let person: Person;
  let app: App;
  let service: App;
  let browser: Browser;
  /** What the provider accepts, by what it is. */
  const live: Record<string, string> = {};
  let dump: Dump;
  let drop: () => Promise<void>;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-dump-'));
    const file = path.join(folder, 'store.db');
    const store = onMongodb ? testDatabase() : { url: `sqlite:${file}`, drop: async () => undefined };
    drop = async () => void (await store.drop());
    gatehouse = await startGatehouse({ GATEHOUSE_STORAGE_URL: store.url, GATEHOUSE_SECRETS_COOKIE_KEYS: COOKIE_KEY });
    await busyRun();
    dump = onMongodb ? await dumpMongodb(store.url) : dumpSqlite(file);
    if (!onMongodb)
      for (const name of await readdir(folder)) dump.push(readFileSync(path.join(folder, name)).toString('latin1'));
  });
  afterAll(async () => {
    backToNow();
    await gatehouse.stop();
    await drop();
    await rm(folder, { recursive: true, force: true });
  });

  async function busyRun() {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    app = await gatehouse.app();
    service = await gatehouse.app({ type: 'service', scope: 'notes:read' });
    person = await gatehouse.person();
    const rp = await relyingParty(gatehouse, app);
    browser = new Browser(gatehouse.issuer);
    const scope = 'openid email offline_access';

    const signIn = await begin(rp, browser);
    await enterPassword(browser, signIn, { ...person, password: 'a wrong password' });
    const signUp = await browser.open(linkNamed(signIn, 'Create an account'));
    await browser.submit(signUp, { name: 'New', email: 'new@example.com', password: 'short' });
    const redeemed = await authorize(rp, person, { scope }, browser);
    const tokens = await as(gatehouse, app).redeem(redeemed);
    const refreshed = await as(gatehouse, app).refresh(String(tokens.body['refresh_token']));
    const forApi = await authorize(rp, person, { scope: `${scope} notes:read`, resource: api.resource! }, browser);
    const jwt = await as(gatehouse, app).redeem(forApi);
    const credentials = await as(gatehouse, service).clientCredentials();
    const unused = await authorize(rp, person, { scope, state: 'unguessable-state' }, browser);
    const pending = new Browser(gatehouse.issuer);
    const consent = await beginConsent(await relyingParty(gatehouse, await gatehouse.app()), pending, person);

    const session = (await browser.jar.getCookies(gatehouse.issuer)).find(({ key }) => key === 'gatehouse_session')!;
    Object.assign(live, {
      password: PASSWORD,
      'wrong password': 'a wrong password',
      'used code': redeemed.callback.searchParams.get('code'),
      code: unused.callback.searchParams.get('code'),
      'code verifier': String(unused.checks.pkceCodeVerifier),
      state: 'unguessable-state',
      'access token': String(refreshed.body['access_token']),
      'refresh token': String(refreshed.body['refresh_token']),
      'used refresh token': String(tokens.body['refresh_token']),
      'ID token': String(refreshed.body['id_token']),
      'JWT access token': String(jwt.body['access_token']),
      'service token': String(credentials.body['access_token']),
      'client secret': app.client_secret,
      'service secret': service.client_secret,
      session: session.value,
      'session signature': (await browser.jar.getCookies(gatehouse.issuer)).find(
        ({ key }) => key === 'gatehouse_session.sig',
      )!.value,
      'form value': fieldValue(consent, '_csrf'),
      'form cookie': (await pending.jar.getCookies(gatehouse.issuer)).find(({ key }) => key === 'gatehouse_csrf')!
        .value,
      interaction: consent.url.pathname.split('/').at(-1),
    });
    // Errors too are logged.
    await as(gatehouse, app).redeem(unused, { code_verifier: 'w'.repeat(43) });
    await as(gatehouse, { ...app, client_secret: 'wrong-client-secret' }).refresh(live['refresh token']!);
    await browser.open(`/auth?client_id=nobody&state=${live['state']}`);
    await userinfo(gatehouse, 'no-such-access-token');
  }

  const kinds = [
    'password',
    'wrong password',
    'used code',
    'code',
    'code verifier',
    'state',
    'access token',
    'refresh token',
    'used refresh token',
    'ID token',
    'JWT access token',
    'service token',
    'client secret',
    'service secret',
    'session',
    'session signature',
    'form value',
    'form cookie',
  ];

  it('everything that is looked for below exists and works', async () => {
    for (const kind of [...kinds, 'interaction']) expect([kind, live[kind]?.length ?? 0]).not.toEqual([kind, 0]);
    expect((await userinfo(gatehouse, live['access token']!)).status).toBe(200);
    expect(dump.length).toBeGreaterThan(100);
  });

  it('the log does not hold: state', () => {
    expect(JSON.stringify(gatehouse.logged).includes(live['state']!)).toBe(false);
  });

  const unlogged = [...kinds.filter((kind) => kind !== 'state'), 'wrong-client-secret', 'no-such-access-token'];
  it.each(unlogged)('the log does not hold: %s', (kind) => {
    expect(JSON.stringify(gatehouse.logged).includes(live[kind] ?? kind)).toBe(false);
  });

  it('the log does hold what was refused', () => {
    expect(gatehouse.logged.filter((line) => line['error'] !== undefined).length).toBeGreaterThan(1);
  });

  it.each([...kinds, 'interaction'])('the store does not hold: %s', (kind) => {
    const value = live[kind]!;
    expect(dump.filter((text) => text.includes(value)).map((text) => text.slice(0, 80))).toEqual([]);
  });

  it('the store holds no private key', () => {
    expect(dump.filter((text) => /"(d|p|q|dp|dq|qi)":|PRIVATE KEY/.test(text))).toEqual([]);
  });

  it('the store holds nothing readable of what the provider keeps', () => {
    for (const word of ['accountId', 'sessionUid', 'codeChallenge', 'redirect_uri=', 'grantId'])
      expect(dump.filter((text) => text.includes(word)).map((text) => text.slice(0, 80))).toEqual([]);
  });

  describe('and whatever looks like a key in the store', () => {
    const found = () => [...new Set(dump.filter((text) => /^[\w:.-]{16,128}$/.test(text)))];
    const sign = (name: string, value: string) =>
      createHmac('sha256', COOKIE_KEY).update(`${name}=${value}`).digest('base64url');

    it('is no token and no code', async () => {
      expect(found().length).toBeGreaterThan(20);
      for (const key of found()) {
        expect((await userinfo(gatehouse, key)).status).toBe(401);
        expect((await as(gatehouse, app).refresh(key)).status).toBe(400);
        expect((await as(gatehouse, app).introspect(key)).body).toEqual({ active: false });
        expect(
          (
            await as(gatehouse, app).token({
              grant_type: 'authorization_code',
              code: key,
              redirect_uri: app.redirect_uri,
              code_verifier: live['code verifier']!,
            })
          ).status,
        ).toBe(400);
      }
    });

    it('is no session and no interaction, even if it were rightly signed', async () => {
      const { url } = await (await relyingParty(gatehouse, app)).request({ prompt: 'none' });
      const cookie = (name: string, value: string) => `${name}=${value}; ${name}.sig=${sign(name, value)}`;
      const own = await fetch(url, {
        headers: { cookie: cookie('gatehouse_session', live['session']!) },
        redirect: 'manual',
      });
      expect(own.headers.get('location')).not.toContain('login_required');
      for (const key of found()) {
        const headers = {
          accept: 'text/html',
          cookie: `${cookie('gatehouse_session', key)}; ${cookie('gatehouse_interaction', key)}`,
        };
        const response = await fetch(url, { headers, redirect: 'manual' });
        expect(response.headers.get('location')).toContain('login_required');
        expect((await fetch(`${gatehouse.issuer}/interaction/${key}`, { headers })).status).toBe(400);
      }
    });

    it('is no client secret and no password', async () => {
      const keys = dump.filter((one) => one.length < 200 && /^(sha256:|\$argon2|[\w-]{43}$)/.test(one));
      for (const text of keys) {
        // None of them is to be refused for having come after too many wrong ones.
        passTime(86_400);
        expect((await as(gatehouse, { ...service, client_secret: text }).clientCredentials()).status).toBe(401);
        expect(await gatehouse.accounts.authenticate(person.email, text)).toBeUndefined();
      }
    });
  });
});
