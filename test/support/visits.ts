/** How each page of the product is come to. A new one needs a way to it here, unless it is the first page of an account's section. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import { codeOf } from './authenticator.ts';
import { ask, cibaApp } from './ciba.ts';
import { deviceApp, startDevice } from './device.ts';
import { withApp } from './factors.ts';
import { PASSWORD } from './gatehouse.ts';
import { withPasskey } from './passkeys.ts';
import { browserOn, openAccount } from './portal.ts';
import type { Running } from './gatehouse.ts';
import { relyingParty } from './relying-party.ts';
import type { RelyingParty } from './relying-party.ts';
import type { OpenidServer } from './upstream-servers.ts';

const VIEWS = path.resolve(import.meta.dirname, '../../views');

/** Templates that are a page of their own: in no other template, neither frame nor part nor mail. */
export function pageTemplates(): string[] {
  const all = readdirSync(VIEWS, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ejs') && !/^(?:layout|partials|mail\b)/.test(file))
    .map((file) => file.slice(0, -'.ejs'.length));
  const included = new Set(
    all.flatMap((name) =>
      [...readFileSync(path.join(VIEWS, `${name}.ejs`), 'utf8').matchAll(/include\(\s*'([^']+)'/g)].map(([, target]) =>
        path.join(path.dirname(name), target!),
      ),
    ),
  );
  return all.filter((name) => !included.has(name)).sort();
}

export interface Stage {
  gatehouse: Running;
  /** An app that takes people with a password; one that wants two factors; the provider that an account can be joined with. */
  rp: RelyingParty;
  strict: RelyingParty;
  upstream: OpenidServer;
}

type Way = (page: Page, stage: Stage) => Promise<void>;
type Person = Awaited<ReturnType<Running['person']>>;

const start = async (page: Page, rp: RelyingParty, parameters?: Record<string, string>) => {
  await page.goto((await rp.request(parameters)).url.href);
};

async function enterPassword(page: Page, { email, password }: Pick<Person, 'email' | 'password'>): Promise<void> {
  await page.fill('input[name=email]', email);
  await page.fill('input[name=password]', password);
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  await arrived(page);
}

const ARRIVED = `document.readyState === 'complete' && !document.querySelector('meta[http-equiv=refresh]')`;

/** Waits until no page goes on by itself any more. Asked from outside each time: a page's own policy lets no text be run within it. */
const arrived = (page: Page) => expect.poll(() => page.evaluate<boolean>(ARRIVED).catch(() => false)).toBe(true);

async function signIn(page: Page, { gatehouse, rp }: Stage): Promise<Person> {
  const person = await gatehouse.person();
  await start(page, rp);
  await enterPassword(page, person);
  return person;
}

const press = (page: Page, selector: string) => Promise.all([page.waitForEvent('load'), page.click(selector)]);

/** The way that a link of the sign-in page leads. */
const fromSignIn =
  (step: string): Way =>
  async (page, { rp }) => {
    await start(page, rp);
    await press(page, `a[href$="/${step}"]`);
  };

async function toSecondFactor(page: Page, { gatehouse, rp }: Stage): Promise<{ secret: string; codes: string[] }> {
  const person = await gatehouse.person();
  const factors = await withApp(gatehouse, person);
  await start(page, rp);
  await enterPassword(page, person);
  return factors;
}

async function toEnrolment(page: Page, { gatehouse, strict }: Stage): Promise<void> {
  await start(page, strict);
  await enterPassword(page, await gatehouse.person());
}

/** The link in the newest mail to an address. */
async function mailedLink({ gatehouse }: Stage, to: string): Promise<string> {
  for (;;) {
    const { items } = await gatehouse.mail.outbox.list('shown', {});
    const mail = items.find(({ message }) => message?.to === to);
    if (mail) return String(mail.message!.data['url']);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Signs in to the account page, as somebody who has of everything a little. */
async function signInToAccount(page: Page, { gatehouse, rp }: Stage): Promise<Person> {
  const person = await gatehouse.person();
  await rp.signIn(person, {}, browserOn(gatehouse.issuer, 'phone'));
  await openAccount(browserOn(gatehouse.issuer, 'laptop'), person);
  await withPasskey(gatehouse, person);
  const { codes } = await withApp(gatehouse, person);
  await page.goto(`${gatehouse.issuer}/account`);
  await enterPassword(page, person);
  await press(page, 'a[href*="way=recovery_code"]');
  await page.fill('#code', codes[0]!);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/account$/);
  return person;
}

/** Browsers that are at home there. */
const signedIn = new WeakSet<BrowserContext>();
/** Whose account page it is. */
const owners = new WeakMap<BrowserContext, Person>();

/** A page of the account, and below it where links or buttons of that page lead. */
const section =
  (name: string, ...selectors: string[]): Way =>
  async (page, stage) => {
    if (!owners.has(page.context())) owners.set(page.context(), await signInToAccount(page, stage));
    await page.goto(`${stage.gatehouse.issuer}/account${name === 'overview' ? '' : `/${name}`}`);
    for (const selector of selectors) await press(page, selector);
  };

/** Where an app's request waits for its person. */
const asked =
  (...selectors: string[]): Way =>
  async (page, stage) => {
    await section('overview')(page, stage);
    const words = { scope: 'openid email offline_access', binding_message: 'Order 7331' };
    await ask(stage.gatehouse, await cibaApp(stage.gatehouse), owners.get(page.context())!, words);
    await section('requests', ...selectors)(page, stage);
  };

/** Somebody to look at, with of everything a little; and an app. */
async function peopleAndApps({ gatehouse, rp }: Stage) {
  const person = await gatehouse.person({ name: 'Katherine Johnson', roles: ['editor'] });
  await rp.signIn(person, {}, browserOn(gatehouse.issuer, 'phone'));
  await withPasskey(gatehouse, person);
  const company = { name: 'company', type: 'oidc', issuer: 'https://login.company.example', client_id: 'us' };
  await gatehouse.upstreams.create(OPERATOR, company);
  return { person, app: await gatehouse.app({ redirect_uris: ['https://notes.example/callback'] }) };
}
const looked = new WeakMap<Stage, ReturnType<typeof peopleAndApps>>();

/** A page of the console, and below it where buttons of that page lead. `:person` and `:app` are theirs. */
const desk =
  (path: string, ...selectors: string[]): Way =>
  async (page, stage) => {
    const { gatehouse } = stage;
    if (!looked.has(stage)) looked.set(stage, peopleAndApps(stage));
    const { person, app } = await looked.get(stage)!;
    if (!signedIn.has(page.context())) {
      await page.goto(`${gatehouse.issuer}/admin`);
      await enterPassword(page, await gatehouse.person({ name: 'Grace Hopper', roles: ['admin'] }));
      await page.waitForURL(/\/admin$/);
    }
    signedIn.add(page.context());
    await page.goto(`${gatehouse.issuer}/admin${path.replace(':person', person.sub).replace(':app', app.client_id)}`);
    for (const selector of selectors) await press(page, selector);
  };

const WAYS: Record<string, Way> = {
  'landing/index': async (page, { gatehouse }) => void (await page.goto(gatehouse.issuer)),
  'http/error': async (page, { gatehouse }) => void (await page.goto(`${gatehouse.issuer}/nowhere`)),
  async 'http/continue'(page, stage) {
    await signIn(page, stage);
    // It goes on by itself: here it stays, to be looked at.
    await page.route('**/consent', async (route) => {
      const response = await route.fetch();
      const headers = { ...response.headers(), refresh: '3600' };
      const body = (await response.text()).replace(/<meta http-equiv="refresh"[^>]*>/, '');
      await route.fulfill({ response, headers, body });
    });
    await press(page, 'button[value=deny]');
  },

  async 'http/form-post'(page, { gatehouse, rp }) {
    // It goes on by itself: here it stays, to be looked at.
    await page.route('**/assets/form-post.js', (route) => route.fulfill({ body: '', contentType: 'text/javascript' }));
    await start(page, rp, { response_mode: 'form_post' });
    await enterPassword(page, await gatehouse.person());
    await press(page, 'button[value=allow]');
    await page.locator('#form-post').waitFor();
  },

  'interaction/sign-in': (page, { rp }) => start(page, rp),
  'interaction/sign-up': fromSignIn('sign-up'),
  'interaction/forgot-password': fromSignIn('forgot-password'),
  'interaction/mailed-sign-in': fromSignIn('mailed-sign-in'),
  async 'interaction/check-mail'(page, stage) {
    await fromSignIn('mailed-sign-in')(page, stage);
    await page.fill('input[name=email]', 'nobody@example.com');
    await press(page, 'button[type=submit] >> nth=0');
  },
  async 'interaction/consent'(page, stage) {
    await signIn(page, stage);
  },
  'interaction/dead-end': async (page, { gatehouse }) => void (await page.goto(`${gatehouse.issuer}/interaction/gone`)),
  'interaction/enrol': toEnrolment,
  async 'interaction/recovery-codes'(page, stage) {
    await toEnrolment(page, stage);
    const secret = await page.locator('#secret').textContent();
    await page.fill('#code', await codeOf(secret!.replaceAll(' ', '')));
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  },
  async 'interaction/second-factor'(page, stage) {
    await toSecondFactor(page, stage);
  },
  async 'interaction/factors-lost'(page, stage) {
    await toSecondFactor(page, stage);
    await press(page, 'a[href$="/second-factor/lost"]');
  },
  async 'interaction/few-codes'(page, stage) {
    const person = await stage.gatehouse.person();
    const { codes } = await withApp(stage.gatehouse, person);
    for (const code of codes.slice(3)) await stage.gatehouse.factors.useRecoveryCode(person.sub, code);
    await start(page, stage.rp);
    await enterPassword(page, person);
    await press(page, 'a[href*="way=recovery_code"]');
    await page.fill('#code', codes[0]!);
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  },
  async 'interaction/add-passkey'(page, stage) {
    await page.context().addCookies([{ name: 'gatehouse_passkey_offer', value: 'able', url: stage.gatehouse.issuer }]);
    await signIn(page, stage);
  },
  async 'interaction/keep-account'(page, stage) {
    const person = await stage.gatehouse.person();
    await stage.gatehouse.access.leave(person.sub, new Date(Date.now() + 86_400_000).toISOString());
    await start(page, stage.rp);
    await enterPassword(page, person);
  },
  async 'interaction/link'(page, stage) {
    const { email } = await stage.gatehouse.person();
    await page.route(`${stage.upstream.issuer}/**`, () => undefined);
    await start(page, stage.rp);
    const [request] = await Promise.all([
      page.waitForRequest(`${stage.upstream.issuer}/**`),
      page.click('form[action$="/upstream/acme"] button'),
    ]);
    const asked = new URL(request.url());
    await page.goto(stage.upstream.approve(asked, { sub: `acme-${email}`, email, email_verified: true }).href);
  },
  async 'interaction/log-out'(page, stage) {
    await signIn(page, stage);
    await page.goto(stage.rp.config.serverMetadata().end_session_endpoint!);
  },
  async 'interaction/logged-out'(page, stage) {
    await WAYS['interaction/log-out']!(page, stage);
    await page.click('button[name=logout]');
    await page.waitForURL(/\/session\/end\/success/);
  },
  async 'interaction/signed-out'(page, stage) {
    const { gatehouse } = stage;
    const redirect_uris = [`${gatehouse.issuer}/assets/favicon.svg`];
    const backchannel_logout_uri = 'https://app.example/log-out';
    const app = await gatehouse.app({ first_party: true, redirect_uris, backchannel_logout_uri });
    await start(page, await relyingParty(gatehouse, app));
    await enterPassword(page, await gatehouse.person());
    await page.waitForURL(/favicon/);
    await page.goto(stage.rp.config.serverMetadata().end_session_endpoint!);
    await page.click('button[name=logout]');
    await page.waitForURL(/\/signed-out\//);
  },
  async 'interaction/mailed-link'(page, stage) {
    const account = await stage.gatehouse.accounts.get((await stage.gatehouse.person()).sub);
    await stage.gatehouse.verification.emailChanges.request(account, `new-${account.email}`, 'en');
    await page.goto(await mailedLink(stage, `new-${account.email}`));
  },
  async 'interaction/confirm-elsewhere'(page, stage) {
    const { email } = await stage.gatehouse.person({ email_verified: false });
    const account = await stage.gatehouse.accounts.get(email);
    const request = { locale: 'en', app: 'Acme Notes', browser: 'the one that signed up' };
    await stage.gatehouse.verification.confirmations.mailLater(account, request);
    await page.goto(await mailedLink(stage, email));
  },
  async 'interaction/invitation'(page, { gatehouse }) {
    const email = `${Date.now()}.guest@example.com`;
    const { url } = await gatehouse.inviting.invite(OPERATOR, { email, name: 'Guest', by: 'link' });
    await page.goto(url!);
  },
  'interaction/mailed-done': async (page, { gatehouse }) =>
    void (await page.goto(`${gatehouse.issuer}/mailed/verify-email?token=gone`)),
  async 'interaction/set-password'(page, stage) {
    const { email } = await stage.gatehouse.person();
    await stage.gatehouse.verification.recovery.request({ email, locale: 'en' });
    await page.goto(await mailedLink(stage, email));
  },

  async 'interaction/device'(page, { gatehouse }) {
    const device = await startDevice(gatehouse, await deviceApp(gatehouse));
    await page.goto(device.code.verification_uri_complete!);
  },
  async 'interaction/device-confirm'(page, stage) {
    await WAYS['interaction/device']!(page, stage);
    await press(page, 'main button[type=submit]');
  },
  async 'interaction/device-connected'(page, stage) {
    await WAYS['interaction/device-confirm']!(page, stage);
    await press(page, 'main button[type=submit] >> nth=0');
    await arrived(page);
    await enterPassword(page, await stage.gatehouse.person());
    await press(page, 'button[value=allow]');
    await arrived(page);
  },

  'admin/api': async (page, { gatehouse }) => void (await page.goto(`${gatehouse.issuer}/admin/api`)),
  'admin/first': async (page, { gatehouse }) =>
    void (await page.goto((await gatehouse.admins.issueLink({ onlyFirst: false })).url)),
  async 'admin/first-done'(page, stage) {
    await WAYS['admin/first']!(page, stage);
    const typed = { name: 'Grace Hopper', email: 'grace@example.com', password: PASSWORD };
    for (const [name, value] of Object.entries(typed)) await page.fill(`input[name=${name}]`, value);
    await press(page, 'main button[type=submit]');
  },
  'admin/first-gone': async (page, { gatehouse }) =>
    void (await page.goto(`${gatehouse.issuer}/admin/first?link=gone`)),

  'console/overview': desk(''),
  'console/people': desk('/people'),
  'console/people-selected': async (page, stage) => {
    await desk('/people')(page, stage);
    await page.check('input[name=person] >> nth=0');
    await press(page, 'main button[value=suspend]');
  },
  'console/sessions': desk('/sessions'),
  'console/invitations': desk('/people/invitations'),
  'console/invitation-link': async (page, stage) => {
    await desk('/people/invite')(page, stage);
    await page.fill('input[name=email]', `${Date.now()}.linked@example.com`);
    await page.check('input[name=link]');
    await press(page, 'main form[action$="/people/invite"] button[type=submit]');
  },
  'console/people-import': desk('/people/import'),
  'console/people-imported': async (page, stage) => {
    await desk('/people/import')(page, stage);
    const content = '{"email":"filed@example.com"}\n{"email":"nobody"}\n';
    await page.setInputFiles('#file', { name: 'people.jsonl', mimeType: '', buffer: Buffer.from(content) });
    await press(page, 'form[enctype] button[type=submit]');
  },
  'console/person': desk('/people/:person'),
  'console/form': desk('/people/new'),
  'console/confirm': desk('/people/:person/suspend'),
  'console/clients': desk('/apps'),
  async 'console/clients-selected'(page, stage) {
    await desk('/apps')(page, stage);
    await page.check('input[name=client]:enabled >> nth=0');
    await press(page, '#results form button[type=submit]');
  },
  'console/app-kinds': desk('/apps/new'),
  'console/client': desk('/apps/:app'),
  'console/snippets': desk('/apps/:app/snippets'),
  async 'console/try-result'(page, stage) {
    // Apps of other visits have two secrets by now.
    const { client_id } = await stage.gatehouse.app();
    await desk(`/apps/${client_id}/try`, 'main form button[type=submit]')(page, stage);
    await page.waitForURL(/\/interaction\/|\/try\/callback/);
    // The second look finds the consent remembered.
    if (page.url().includes('/interaction/')) await press(page, 'button[value=allow]');
    await page.waitForURL(/\/try\/callback/);
  },
  'console/secret': desk('/apps/:app/secret', 'main button[type=submit]'),
  'console/audit': desk('/audit'),
  'console/named': async (page, stage) => {
    await stage.gatehouse.roles.list({ text: 'writer' }).then(async ({ items }) => {
      if (items.length === 0)
        await stage.gatehouse.roles.create(OPERATOR, {
          name: 'writer',
          description: 'Writes',
          permissions: ['notes:write'],
        });
    });
    await desk('/roles')(page, stage);
  },
  'console/claim-table': async (page, stage) => {
    const rules = [{ claim: ['realm_access', 'roles'], source: 'roles' as const, into: ['id_token' as const] }];
    await stage.gatehouse.claimTables.set(OPERATOR, '_default', rules);
    await desk('/claims')(page, stage);
  },
  'console/preview': desk('/preview?client_id=:app&person=:person'),
  'console/documents': desk('/client-documents'),
  'console/keys': desk('/keys'),
  'console/providers': desk('/providers'),
  'console/provider': desk('/providers/company'),
  'console/refused': async (page, { gatehouse }) => {
    await page.goto(`${gatehouse.issuer}/admin`);
    await enterPassword(page, await gatehouse.person());
    await page.waitForURL(/\/admin$/);
  },
  'console/outside': async (page, { gatehouse }) => void (await page.goto(`${gatehouse.issuer}/admin/signed-out`)),

  'mailbox/index': async (page, stage) => {
    await stage.gatehouse.verification.recovery.request({ email: 'nobody@example.com', locale: 'en' });
    await page.goto(`${stage.gatehouse.issuer}/mailbox`);
  },
  async 'mailbox/mail'(page, stage) {
    await WAYS['mailbox/index']!(page, stage);
    await press(page, 'a[href*="/mailbox/"]');
  },
  async 'playground/index'(page, { gatehouse }) {
    const { email } = await gatehouse.person();
    await page.goto(`${gatehouse.issuer}/playground`);
    await press(page, 'form[action$="/begin"] button');
    await press(page, 'a[href*="/auth?"]');
    await enterPassword(page, { email, password: PASSWORD });
    await page.click('button[value=allow]');
    await page.waitForURL(/\/playground$/);
  },
  'playground/refused': async (page, { gatehouse }) =>
    void (await page.goto(`${gatehouse.issuer}/playground/callback?state=strange&code=strange`)),
  'portal/requests': asked(),
  'portal/request': asked('.gh-row a'),
  'portal/sessions-others': section('sessions/others'),
  'portal/authenticator-add': section('authenticator/add'),
  'portal/authenticator-remove': section('authenticator/remove'),
  'portal/passkeys-add': section('passkeys/add'),
  'portal/passkeys-rename': section('passkeys', 'main a[href$="/rename"]'),
  'portal/passkeys-remove': section('passkeys', 'main a[href$="/remove"]'),
  'portal/recovery-codes-new': section('recovery-codes', 'main button[type=submit]'),
  'portal/outside': async (page, { gatehouse }) => void (await page.goto(`${gatehouse.issuer}/account/signed-out`)),
};

/** @returns how to come to the page of this template, if that is known. */
export const wayTo = (template: string): Way | undefined =>
  WAYS[template] ?? (template.startsWith('portal/') ? section(template.slice('portal/'.length)) : undefined);
