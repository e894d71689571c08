/** What is ended on one instance has ended on every other: refresh, introspection and userinfo ask the store, which all share. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startInstances } from '../support/instances.ts';
import type { Instances } from '../support/instances.ts';
import { authorize } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { browserOn, openAccount } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';

const SCOPE = 'openid email notes:read';
/** Milliseconds in which an end must have arrived everywhere. A busy machine is given more, never less is asked. */
const SOON_MS = 1000;

interface Tokens {
  access_token: string;
  refresh_token: string;
}

describe('on another instance', () => {
  let instances: Instances;
  let person: Person;
  let app: App;
  let api: App;
  let opaqueApi: App;
  beforeAll(async () => {
    instances = await startInstances();
    const [here] = instances.all;
    app = await here.app({ first_party: true, always_issue_refresh_token: true });
    api = await here.app({ type: 'api', scope: 'notes:read' });
    opaqueApi = await here.app({ type: 'api', scope: 'notes:read', access_token_format: 'opaque' });
  });
  afterAll(() => instances.stop());
  beforeEach(async () => {
    person = await instances.all[0].person();
  });

  const offlineToo = (offline: boolean) => (offline ? `${SCOPE} offline_access` : SCOPE);

  /** Tokens of one session: for no API, for one that reads JWTs, for one that asks. */
  async function signIn(browser: Browser, offline: boolean): Promise<Tokens[]> {
    const rp = await relyingParty(instances.all[0], app);
    const all: Tokens[] = [];
    for (const resource of [undefined, api.resource!, opaqueApi.resource!]) {
      const wanted = { scope: offlineToo(offline), ...(resource === undefined ? {} : { resource }) };
      const { callback, checks } = await authorize(rp, person, wanted, browser);
      const { access_token, refresh_token } = await rp.redeem(callback, checks);
      all.push({ access_token, refresh_token: refresh_token! });
    }
    return all;
  }

  /** What the second instance makes of them: whether each is good there, and the refresh tokens that came of it. */
  async function there([plain, jwt, opaque]: Tokens[]): Promise<{ good: boolean[]; newer: Tokens[] }> {
    const [, other] = instances.all;
    const all = [plain!, jwt!, opaque!];
    const active = async (asker: App, token: string) =>
      (await as(other, asker).introspect(token)).body['active'] === true;
    const asked = await Promise.all([
      active(app, plain!.access_token),
      active(app, plain!.refresh_token),
      active(api, jwt!.access_token),
      active(opaqueApi, opaque!.access_token),
      ...all.map(async ({ access_token }) => (await userinfo(other, access_token)).status === 200),
    ]);
    const refreshed = await Promise.all(all.map(({ refresh_token }) => as(other, app).refresh(refresh_token)));
    return {
      good: [...asked, ...refreshed.map(({ status }) => status === 200)],
      newer: refreshed.map(({ body }) => body as unknown as Tokens),
    };
  }

  /** From a laptop, the other device. */
  async function endDevice() {
    const laptop = browserOn(instances.all[0].issuer, 'laptop');
    await openAccount(laptop, person);
    const page = await openAccount(laptop, person, '/sessions');
    await laptop.submit(page, {}, '/end');
  }

  const ends: [what: string, offline: boolean, end: (browser: Browser, tokens: Tokens[]) => Promise<unknown>][] = [
    ['a suspension', true, () => instances.all[0].access.suspend(person.sub)],
    ['an erasure', true, () => instances.all[0].access.remove(person.sub)],
    ['a new password', true, () => instances.all[0].access.setPassword(person.sub, 'quite another passphrase')],
    ['a withdrawn consent', true, () => instances.all[0].access.withdrawConsent(person.sub, app.client_id)],
    [
      'a revoked refresh token of each grant',
      true,
      async (_browser, tokens) => {
        for (const { refresh_token } of tokens) await as(instances.all[0], app).revoke(refresh_token);
      },
    ],
    ['a log-out', false, async (browser) => browser.submit(await browser.open('/session/end'), { logout: 'yes' })],
    ['a device signed out on the account page', false, async () => endDevice()],
  ];

  it.each(ends)('%s ends refresh, introspection and userinfo within a second', async (_what, offline, end) => {
    const browser = new Browser(instances.all[0].issuer);
    const tokens = await signIn(browser, offline);
    const before = await there(tokens);
    expect(before.good).toEqual(Array(10).fill(true));
    await end(browser, before.newer);
    const soon = performance.now() + SOON_MS;
    let [askedAt, after] = [performance.now(), await there(before.newer)];
    while (after.good.includes(true) && askedAt < soon)
      [askedAt, after] = [performance.now(), await there(before.newer)];
    expect(after.good).toEqual(Array(10).fill(false));
    // What was replaced just now, and would have its successor in the window, has none any more.
    expect((await there(tokens)).good).toEqual(Array(10).fill(false));
  });
});
