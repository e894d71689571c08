/**
 * Every route of the account page, against other people, other sites and stolen browsers. The tables are made from the routes
 * that the page serves: a new one is covered by being there, and fails here where nobody knows an address of it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from '../support/authenticator.ts';
import type { Browser, Page } from '../support/browser.ts';
import { enterCode, shownCodes, shownSecret, withApp } from '../support/factors.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, backToNow, enterPassword, fieldValue, heading, linkNamed, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { withPasskey } from '../support/passkeys.ts';
import { browserOn, openAccount } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';
import { startWithUpstreams } from '../support/upstream.ts';

type Route = Running['accountRoutes'][number];
/** A route, at an address that belongs to Ada. */
interface Place extends Route {
  at: string;
}

/** Values that some form or other takes. */
const FIELDS = {
  name: 'Mallory',
  current: 'x',
  password: 'another tr0ubadour',
  new_email: 'mallory@evil.example',
  code: '000000',
  credential: '{}',
  decision: 'take',
};

let gatehouse: Running;
let ada: Person;
let secret: string;
let adas: Browser;
let places: Place[];
const named = ({ method, path }: Route) => `${method} ${path}`;
const url = (path: string) => `/account${path}`;

const identity = (provider: string, account_id: string) => ({
  provider,
  issuer: `https://${provider}.example`,
  subject: account_id,
  account_id,
  email: null,
  created_at: '2026-01-02T03:04:05.000Z',
  last_used_at: '2026-02-03T04:05:06.000Z',
});

/** Signs Ada in, with both factors. */
async function signIn(device: 'laptop' | 'phone' = 'laptop'): Promise<Browser> {
  const browser = browserOn(gatehouse.issuer, device);
  const home = await enterCode(browser, await openAccount(browser, ada), secret);
  expect(heading(home)).toBe('Hello Ada Lovelace');
  return browser;
}

/** Addresses of the account page that Ada's own pages lead to. */
async function addressesOf(browser: Browser): Promise<string[]> {
  const found = new Set<string>();
  for (const { method, path } of gatehouse.accountRoutes) {
    if (method !== 'GET' || path.includes(':')) continue;
    const page = await browser.open(url(path));
    for (const element of page.html.querySelectorAll('form, a')) {
      const target = new URL(element.getAttribute('action') ?? element.getAttribute('href') ?? '', page.url);
      if (target.pathname.startsWith('/account/')) found.add(target.pathname.slice('/account'.length));
    }
  }
  return [...found];
}

beforeAll(async () => {
  const client = { client_id: 'x', client_secret: 'y' };
  gatehouse = await startWithUpstreams(
    { google: client, github: client },
    { GATEHOUSE_MAIL_MAILBOX: 'true', GATEHOUSE_LIMITS_ENABLED: 'false' },
  );
  ada = await gatehouse.person();
  await withPasskey(gatehouse, ada);
  ({ secret } = await withApp(gatehouse, ada));
  await gatehouse.storage.identities.insert(identity('google', ada.sub));
  for (const name of ['Firefox, Windows', 'Safari, iOS']) await gatehouse.factors.devices.remember(ada.sub, name);
  await signIn('phone');
  const rp = await relyingParty(gatehouse, await gatehouse.app());
  adas = await signIn();
  const consent = await adas.open((await rp.request()).url);
  await adas.submit(consent, { decision: 'allow' });
  const addresses = await addressesOf(adas);
  places = gatehouse.accountRoutes.map((route) => {
    const pattern = new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}$`);
    return { ...route, at: route.path.includes(':') ? (addresses.find((one) => pattern.test(one)) ?? '') : route.path };
  });
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

/** All that there is of Ada's, but for when she was last seen. */
async function belongings(): Promise<unknown> {
  const { factors, storage, audit, accounts } = gatehouse;
  const { items } = await audit.listByAccount(ada.sub, { limit: 500 });
  const account = await accounts.get(ada.sub);
  return {
    account: { ...account, version: 0, last_sign_in_at: null },
    factors: { ...(await factors.details(ada.sub)), totp_last_used_at: null },
    devices: (await factors.devices.list(ada.sub)).length,
    passkeys: (await storage.passkeys.listByAccount(ada.sub)).map(({ credential_id, name }) => [credential_id, name]),
    identities: await storage.identities.listByAccount(ada.sub),
    apps: await storage.consents.listByAccount(ada.sub),
    happened: items.filter(({ type }) => type !== 'sign_in').length,
  };
}

const post = (browser: Browser, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  browser.request(url(path), { method: 'POST', body: new URLSearchParams({ ...FIELDS, ...fields }), headers });
const tokenOf = async (browser: Browser) => fieldValue(await browser.open(url('/profile')), '_csrf');

async function bob(): Promise<{ browser: Browser; _csrf: string }> {
  const browser = browserOn(gatehouse.issuer, 'phone');
  await openAccount(browser, await gatehouse.person({ name: 'Bob' }));
  return { browser, _csrf: await tokenOf(browser) };
}

describe('every route of the account page', () => {
  it('is known here by an address of Ada’s', () => {
    expect(places.filter(({ at, path }) => at === '' && path !== '').map(named)).toEqual([]);
    expect(places.length).toBeGreaterThan(40);
  });

  it('does nothing to Ada, and shows nothing of hers, when Bob comes with what her addresses name', async () => {
    const before = await belongings();
    const other = await bob();
    for (const place of places.filter(({ path }) => path.includes(':'))) {
      const answer =
        place.method === 'GET'
          ? await other.browser.request(url(place.at))
          : await post(other.browser, place.at, { _csrf: other._csrf });
      // A provider is everybody's: what is connected there is not.
      if (place.path !== '/providers/:name/connect') expect([named(place), answer.status]).toEqual([named(place), 404]);
      expect([named(place), (await answer.text()).includes(ada.email)]).toEqual([named(place), false]);
      expect([named(place), await belongings()]).toEqual([named(place), before]);
    }
    expect(heading(await adas.open('/account'))).toBe('Hello Ada Lovelace');
  });

  it('does nothing to Ada when Bob names her in the form', async () => {
    const before = await belongings();
    const ids = { id: ada.sub, sub: ada.sub, account: ada.sub, account_id: ada.sub, email: ada.email, uid: ada.sub };
    for (const place of places.filter(({ method, path }) => method === 'POST' && !path.includes(':'))) {
      const other = await bob();
      const answer = await post(other.browser, place.at, { _csrf: other._csrf, ...ids });
      expect([named(place), answer.status < 500]).toEqual([named(place), true]);
      expect([named(place), await belongings()]).toEqual([named(place), before]);
    }
    expect(heading(await adas.open('/account'))).toBe('Hello Ada Lovelace');
  });

  it('shows Bob nothing of Ada’s', async () => {
    const { browser } = await bob();
    const hers = [
      ada.email,
      ada.sub,
      ...places.filter(({ path }) => /:id/.test(path)).map(({ at }) => at.split('/')[2]!),
    ];
    const apps = new Set((await gatehouse.storage.consents.listByAccount(ada.sub)).map(({ client_id }) => client_id));
    for (const place of places.filter(({ method, path }) => method === 'GET' && !path.includes(':'))) {
      const { text, status } = await browser.open(url(place.at));
      expect([named(place), status < 500]).toEqual([named(place), true]);
      expect([named(place), hers.filter((one) => !apps.has(one) && text.includes(one))]).toEqual([named(place), []]);
    }
  });

  it('that is a form is refused when another site sends it, and nothing is done', async () => {
    const before = await belongings();
    const [own, strange] = [await tokenOf(adas), (await bob())._csrf];
    for (const place of places.filter(({ method }) => method === 'POST')) {
      const tries = [
        await post(adas, place.at, {}),
        await post(adas, place.at, { _csrf: strange }),
        await post(adas, place.at, { _csrf: own }, { 'sec-fetch-site': 'cross-site' }),
        await post(adas, place.at, { _csrf: own }, { 'sec-fetch-site': 'same-site' }),
      ];
      expect([named(place), tries.map(({ status }) => status)]).toEqual([named(place), [403, 403, 403, 403]]);
      expect([named(place), await belongings()]).toEqual([named(place), before]);
    }
    expect(heading(await adas.open('/account'))).toBe('Hello Ada Lovelace');
  });

  it('leads whoever is not signed in to the sign-in, and does nothing', async () => {
    const before = await belongings();
    const nobody = browserOn(gatehouse.issuer, 'laptop');
    const _csrf = fieldValue(await nobody.open('/account'), '_csrf');
    for (const place of places.filter(({ path }) => path !== '/sign-out')) {
      const answer =
        place.method === 'GET' ? await nobody.request(url(place.at)) : await post(nobody, place.at, { _csrf });
      const location = answer.headers.get('location') ?? '';
      expect([named(place), answer.status, location.startsWith(`${gatehouse.issuer}/auth?`)]).toEqual([
        named(place),
        303,
        true,
      ]);
    }
    expect(await belongings()).toEqual(before);
  });
});

describe('a stolen browser', () => {
  /** Forms that need no fresh proof: what they do can be undone, or takes power away from whoever has the browser. */
  const EVERYDAY = [
    'POST /sign-out',
    'POST /profile',
    'POST /email/verify',
    'POST /passkeys/:id/rename',
    'POST /remembered/forget',
    'POST /remembered/:id/forget',
    'POST /sessions/:id/end',
    'POST /apps/:id/withdraw',
  ];

  it('gets to no other form, and to no dangerous page, without proving who it is', async () => {
    const dangerous = places.filter(({ fresh }) => fresh);
    const harmless = places.filter(({ method, fresh }) => method === 'POST' && !fresh).map(named);
    expect(harmless.toSorted()).toEqual(EVERYDAY.toSorted());
    const before = await belongings();
    const _csrf = await tokenOf(adas);
    // Codes of the app were typed in a future that is over.
    passTime(900);
    for (const place of dangerous) {
      const answer = place.method === 'GET' ? await adas.request(url(place.at)) : await post(adas, place.at, { _csrf });
      const location = new URL(answer.headers.get('location') ?? 'none:', gatehouse.issuer);
      expect([named(place), answer.status, location.searchParams.get('max_age')]).toEqual([named(place), 303, '300']);
    }
    expect(await belongings()).toEqual(before);
  });

  it('that knows the password too changes no factor of a person who has a passkey', async () => {
    const grace = await gatehouse.person();
    await withPasskey(gatehouse, grace);
    const browser = browserOn(gatehouse.issuer, 'laptop');
    await openAccount(browser, grace);
    const _csrf = await tokenOf(browser);
    const strong = places.filter(({ strong }) => strong);
    expect(strong.length).toBeGreaterThan(8);
    for (const place of strong) {
      const answer =
        place.method === 'GET' ? await browser.request(url(place.at)) : await post(browser, place.at, { _csrf });
      const location = new URL(answer.headers.get('location') ?? 'none:', gatehouse.issuer);
      expect([named(place), location.searchParams.get('claims')]).toEqual([
        named(place),
        expect.stringContaining('urn:gatehouse:acr:2'),
      ]);
    }
    expect(await gatehouse.factors.of(grace.sub)).toEqual({ totp: false, passkeys: 1, recovery_codes_left: 0 });
    const asked = await browser.open('/account/authenticator/add');
    expect(heading(asked)).toBe('Confirm it is you');
    expect(asked.html.querySelector('form[data-passkey]')).not.toBeNull();
  });

  it('that is remembered is no second factor: it changes none', async () => {
    const marked = browserOn(gatehouse.issuer, 'laptop');
    passTime(900);
    await enterCode(marked, await openAccount(marked, ada), secret, { remember: 'yes' });
    await marked.submit(await marked.open('/account'), {}, '/sign-out');
    passTime(60);
    const home = await openAccount(marked, ada);
    expect(heading(home)).toBe('Hello Ada Lovelace'); // by password and mark
    for (const path of ['/authenticator/remove', '/authenticator/add', '/passkeys/add']) {
      const asked = await enterPassword(marked, await marked.open(url(path)), ada);
      expect([path, heading(asked), asked.html.querySelector('#code') !== null]).toEqual([
        path,
        'Confirm it is you',
        true,
      ]);
    }
    await gatehouse.factors.devices.forgetAll(ada.sub);
    const proved = await enterCode(
      marked,
      await enterPassword(marked, await marked.open('/account/authenticator/remove'), ada),
      secret,
    );
    expect(heading(proved)).toBe('Remove the authenticator app');
  });
});

describe('whoever guesses codes on the way to the account page', () => {
  const TRIES = 10;
  let limited: Running;
  let person: Person;
  let page: Page;
  let browser: Browser;
  let known: string;
  let codes: string[];
  beforeAll(async () => {
    limited = await startWithUpstreams({});
  });
  afterAll(() => limited.stop());
  const count = (answers: Page[], status: number) => answers.filter((one) => one.status === status).length;

  async function stolen(): Promise<void> {
    person = await limited.person();
    browser = browserOn(limited.issuer, 'laptop');
    await openAccount(browser, person);
    ({ secret: known, codes } = await withApp(limited, person));
    const asked = await browser.open('/account/authenticator/remove');
    page = asked.html.querySelector('input[name=password]') ? await enterPassword(browser, asked, person) : asked;
    expect(heading(page)).toBe('Confirm it is you');
  }

  it.each([
    ['of an app', '', (index: number) => String(100_000 + index)],
    ['for recovery', 'Use a recovery code', (index: number) => `abcd-efgh-${String(1000 + index)}`],
  ])('%s has no more tries with 60 at once than one after the other', async (_what, link, guess) => {
    await stolen();
    const form = link === '' ? page : await browser.open(linkNamed(page, link));
    const answers = await atOnce(60, (index) => browser.submit(form, { code: guess(index) }));
    expect([count(answers, 400), count(answers, 429)]).toEqual([TRIES, 60 - TRIES]);
    passTime(31);
    const right = await browser.submit(form, { code: link === '' ? await codeOf(known) : codes[0]! });
    expect(right.status).toBe(429);
    expect(await limited.factors.of(person.sub)).toMatchObject({ totp: true, recovery_codes_left: 10 });
  });

  it('has no more tries at the first code of a new app', async () => {
    person = await limited.person();
    browser = browserOn(limited.issuer, 'laptop');
    const adding = await openAccount(browser, person, '/authenticator/add');
    const answers = await atOnce(40, (index) => browser.submit(adding, { code: String(200_000 + index) }, '/add'));
    expect([count(answers, 400), count(answers, 429)]).toEqual([TRIES, 40 - TRIES]);
    expect((await limited.factors.of(person.sub)).totp).toBe(false);
  });

  it('gets no second set of codes by sending one right code many times at once', async () => {
    person = await limited.person();
    browser = browserOn(limited.issuer, 'laptop');
    const adding = await openAccount(browser, person, '/authenticator/add');
    const code = await codeOf(shownSecret(adding));
    const answers = await atOnce(8, () => browser.submit(adding, { code }, '/add'));
    expect(answers.filter((one) => shownCodes(one).length > 0)).toHaveLength(1);
    expect(await limited.factors.of(person.sub)).toMatchObject({ totp: true, recovery_codes_left: 10 });
  });
});
