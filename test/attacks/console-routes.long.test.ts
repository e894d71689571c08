/**
 * Every route of the console, against whoever is no admin, other sites, stolen browsers and what people write into their names. The
 * tables are made from the routes that the console serves: a new one is covered by being there.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import { Browser } from '../support/browser.ts';
import { codeOf } from '../support/authenticator.ts';
import { anAdmin, openConsole, sendFile } from '../support/console.ts';
import { enterCode, withApp } from '../support/factors.ts';
import { PASSWORD, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, fieldValue, heading, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { withPasskey } from '../support/passkeys.ts';
import { relyingParty } from '../support/relying-party.ts';

type Route = Running['consoleRoutes'][number];
interface Place extends Route {
  /** With ids that there are. */
  at: string;
}

const named = ({ method, path }: Route) => `${method} ${path}`;
const EVIL = `"><script>alert(1)</script><img src=x onerror=alert(1)>`;
/** What some form or other takes. */
const FIELDS = {
  name: 'Mallory',
  email: 'mallory@evil.example',
  password: PASSWORD,
  roles: 'admin',
  act: 'suspend',
  confirmed: 'yes',
  redirect_uris: 'https://evil.example/cb',
  version: '1',
};

let gatehouse: Running;
let browser: Browser;
let victim: Person;
let app: Awaited<ReturnType<Running['app']>>;
let places: Place[];
let before: unknown;

/** All that the console could have changed. */
async function state(): Promise<unknown> {
  const { accounts, clients, storage, factors } = gatehouse;
  const { items: people } = await accounts.search({ limit: 500 });
  const { items: apps } = await clients.list({ limit: 500 });
  return {
    people: people
      .map((one) => ({ ...one, last_sign_in_at: null, version: 0, updated_at: '' }))
      .filter(({ roles }) => !roles.includes('visitor')),
    apps: apps.map(({ id, version }) => [id, version]),
    roles: await storage.roles.all(),
    keys: (await gatehouse.keys.overview()).keys.map(({ id, state }) => [id, state]),
    passkeys: (await storage.passkeys.listByAccount(victim.sub)).length,
    consents: (await storage.consents.listByAccount(victim.sub)).length,
    factors: await factors.of(victim.sub),
    sessions: (await gatehouse.people.sessions(victim.sub)).length,
  };
}

const open = ({ at }: Place, by: Browser) => by.request(`/admin${at}`);
const post = ({ at }: Place, by: Browser, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  by.request(`/admin${at}`, {
    method: 'POST',
    body: new URLSearchParams({ ...FIELDS, person: victim.sub, client: app.client_id, ...fields }),
    headers,
  });
const ask = (place: Place, by: Browser, _csrf: string) =>
  place.method === 'GET' ? open(place, by) : post(place, by, { _csrf });
/** The value that forms of ours have in this browser, taken from a page that anybody may see. */
const tokenOf = async (by: Browser) => fieldValue(await by.open('/'), '_csrf');

beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_MAIL_MAILBOX: 'true', GATEHOUSE_LIMITS_ENABLED: 'false' });
  ({ browser } = await anAdmin(gatehouse));
  victim = await gatehouse.person({ name: EVIL, roles: [] });
  await gatehouse.accounts.edit(victim.sub, {
    claims: {
      nickname: EVIL,
      given_name: EVIL,
      preferred_username: EVIL,
      phone_number: EVIL.slice(0, 40),
      address: { formatted: EVIL },
    },
  });
  app = await gatehouse.app({
    name: EVIL,
    client_uri: 'https://app.example/?"><script>alert(1)</script>',
    scope: 'openid email profile',
  });
  await gatehouse.app({ type: 'api', name: EVIL, resource: 'https://evil.example/?"><script>alert(1)</script>' });
  const theirs = new Browser(gatehouse.issuer);
  theirs.headers = { ...theirs.headers, 'user-agent': EVIL };
  await (await relyingParty(gatehouse, app)).signIn(victim, {}, theirs);
  await withPasskey(gatehouse, victim);
  const { items } = await gatehouse.clients.search({ having: ['=type:api'], limit: 10 });
  const api = items.find(({ client_name }) => client_name === EVIL)!;
  const [session] = await gatehouse.people.sessions(victim.sub);
  const [passkey] = (await gatehouse.people.signInMethods(victim.sub)).passkeys;
  const values: Record<string, string> = { session: session!.id, client: app.client_id, passkey: passkey!.id };
  const [signing] = (await gatehouse.keys.overview()).keys;
  values['key'] = signing!.id;
  await gatehouse.roles.create(OPERATOR, { name: 'evil', description: EVIL, permissions: ['<b>'] });
  await gatehouse.groups.create(OPERATOR, { name: 'evil', description: EVIL, roles: ['evil'] });
  const rules = [
    { claim: ['<img src=x onerror=alert(1)'], source: 'constant' as const, value: EVIL, into: ['id_token' as const] },
  ];
  for (const table of [app.client_id, '_default']) await gatehouse.claimTables.set(OPERATOR, table, rules);
  Object.assign(values, { role: 'evil', group: 'evil', table: app.client_id, row: '1' });
  const imported = await sendFile(browser, { name: `${EVIL}.jsonl`, content: JSON.stringify({ [EVIL]: EVIL }) });
  values['run'] = imported.url.pathname.split('/').at(-1)!;
  const secretOf = async (id: string) => (await gatehouse.clients.get(id)).secret_facts!.id;
  const secrets = { [app.client_id]: await secretOf(app.client_id), [api.id]: await secretOf(api.id) };
  places = gatehouse.consoleRoutes.map((route) => {
    const id = route.path.startsWith('/people') ? victim.sub : route.path.startsWith('/apis') ? api.id : app.client_id;
    return {
      ...route,
      at: route.path.replace(/:(\w+)/g, (_, name: string) =>
        encodeURIComponent(name === 'id' ? id : name === 'secret' ? secrets[id]! : values[name]!),
      ),
    };
  });
  before = await state();
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

describe('every route of the console', () => {
  it('is in the list', () => expect(places.length).toBeGreaterThan(60));

  it('leads whoever is not signed in to the sign-in, and does nothing', async () => {
    const nobody = new Browser(gatehouse.issuer);
    const _csrf = await tokenOf(nobody);
    for (const place of places.filter(({ path }) => path !== '/sign-out')) {
      const answer = await ask(place, nobody, _csrf);
      const location = answer.headers.get('location') ?? '';
      expect([named(place), answer.status, location.startsWith(`${gatehouse.issuer}/auth?`)]).toEqual([
        named(place),
        303,
        true,
      ]);
    }
    expect(await state()).toEqual(before);
  });

  it('is closed to a person without the role, and does nothing', async () => {
    const stranger = new Browser(gatehouse.issuer);
    const page = await openConsole(stranger, await gatehouse.person({ roles: ['visitor', 'administrator', 'Admin'] }));
    expect(page.status).toBe(403);
    const _csrf = fieldValue(page, '_csrf');
    for (const place of places.filter(({ path }) => path !== '/sign-out')) {
      const answer = await ask(place, stranger, _csrf);
      expect([named(place), answer.status]).toEqual([named(place), 403]);
      expect([named(place), (await answer.text()).includes(victim.email)]).toEqual([named(place), false]);
    }
    expect(await state()).toEqual(before);
  });

  it('is closed to an admin who lost the role, and to one whose session has ended', async () => {
    const former = await anAdmin(gatehouse);
    const ended = await anAdmin(gatehouse);
    const [theirs, others] = [
      fieldValue(await former.browser.open('/admin'), '_csrf'),
      fieldValue(await ended.browser.open('/admin'), '_csrf'),
    ];
    await gatehouse.accounts.edit(former.admin.sub, { roles: ['visitor'] });
    await gatehouse.people.signOut({ kind: 'operator', id: 'test', may: () => true }, ended.admin.sub);
    await gatehouse.accounts.edit(ended.admin.sub, { roles: ['visitor', 'admin'] });
    for (const place of places.filter(({ path }) => path !== '/sign-out')) {
      const answers = [await ask(place, former.browser, theirs), await ask(place, ended.browser, others)];
      expect([named(place), answers.map(({ status }) => status)]).toEqual([named(place), [403, 303]]);
    }
    expect(await state()).toEqual(before);
  });

  it('asks an admin for the second factor that was set up since they came', async () => {
    const { admin, browser: weak } = await anAdmin(gatehouse);
    await gatehouse.accounts.edit(admin.sub, { roles: ['admin', 'visitor'] });
    const _csrf = fieldValue(await weak.open('/admin'), '_csrf');
    const { secret } = await withApp(gatehouse, admin);
    for (const place of places.filter(({ path }) => path !== '/sign-out')) {
      const answer = await ask(place, weak, _csrf);
      const location = new URL(answer.headers.get('location') ?? 'none:', gatehouse.issuer);
      expect([named(place), answer.status, location.searchParams.get('claims')]).toEqual([
        named(place),
        303,
        expect.stringContaining('urn:gatehouse:acr:2'),
      ]);
    }
    expect(await state()).toEqual(before);
    const page = await enterCode(weak, await weak.open('/admin/people'), secret);
    expect([heading(page), (await codeOf(secret)).length]).toEqual(['People', 6]);
  });

  it('that is a form is refused when another site sends it', async () => {
    const own = fieldValue(await browser.open('/admin'), '_csrf');
    const strange = fieldValue(await (await anAdmin(gatehouse)).browser.open('/admin'), '_csrf');
    before = await state();
    for (const place of places.filter(({ method }) => method === 'POST')) {
      const tries = [
        await post(place, browser, {}),
        await post(place, browser, { _csrf: strange }),
        await post(place, browser, { _csrf: own }, { 'sec-fetch-site': 'cross-site' }),
        await post(place, browser, { _csrf: own }, { 'sec-fetch-site': 'same-site' }),
      ];
      expect([named(place), tries.map(({ status }) => status)]).toEqual([named(place), [403, 403, 403, 403]]);
    }
    expect(await state()).toEqual(before);
  });

  /** Forms that need no fresh proof: they can be undone, or take power away. */
  const EVERYDAY = [
    'POST /sign-out',
    'POST /apps/selected',
    'POST /apis/selected',
    ...['web', 'spa', 'native', 'service'].map((type) => `POST /apps/new/${type}/check`),
    'POST /apis/new/api/check',
    'POST /apps/:id/edit/check',
    'POST /apis/:id/edit/check',
    'POST /people/new',
    'POST /people/selected',
    'POST /people/:id/edit',
    'POST /people/:id/sessions/:session/end',
    'POST /sessions/:person/:session/end',
    'POST /people/:id/apps/:client/withdraw',
    'POST /providers/:id/test',
  ];

  it('that is dangerous asks a stolen browser for a fresh proof', async () => {
    const harmless = places.filter(({ method, fresh }) => method === 'POST' && !fresh).map(named);
    expect(harmless.toSorted()).toEqual(EVERYDAY.toSorted());
    const _csrf = fieldValue(await browser.open('/admin'), '_csrf');
    passTime(600);
    for (const place of places.filter(({ fresh }) => fresh)) {
      const answer = await ask(place, browser, _csrf);
      const location = new URL(answer.headers.get('location') ?? 'none:', gatehouse.issuer);
      expect([named(place), answer.status, location.searchParams.get('max_age')]).toEqual([named(place), 303, '300']);
    }
    backToNow();
    expect(await state()).toEqual(before);
  });

  it('shows what people write as text, and no secret', async () => {
    const secrets = [
      app.client_secret!,
      (await gatehouse.accounts.get(victim.sub)).password_hash!,
      (await gatehouse.clients.get(app.client_id)).secret_hash!,
    ];
    for (const place of places.filter(({ method }) => method === 'GET')) {
      const text = await (await open(place, browser)).text();
      expect([named(place), text.includes('<script>alert'), text.includes('<img src=x')]).toEqual([
        named(place),
        false,
        false,
      ]);
      expect([named(place), secrets.filter((secret) => text.includes(secret))]).toEqual([named(place), []]);
    }
    for (const query of [
      '/people?search=',
      '/people?role=',
      '/apps?search=',
      '/audit?actor=',
      '/audit?target=',
      '/audit?from=',
    ]) {
      const { text, status } = await browser.open(`/admin${query}${encodeURIComponent(EVIL)}`);
      expect([query, status, text.includes('<script>alert')]).toEqual([query, 200, false]);
    }
  });

  it('with an id of something else is not found', async () => {
    for (const path of [
      `/people/${app.client_id}`,
      `/apps/${victim.sub}`,
      `/apis/${app.client_id}`,
      `/people/${encodeURIComponent(victim.email)}`,
      '/people/__proto__',
      '/apps/..%2f..',
    ])
      expect([path, (await browser.open(`/admin${path}`)).status]).toEqual([path, 404]);
  });
});
