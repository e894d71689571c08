import * as oidc from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, begin, beginConsent } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const asking = (claims: object, scope = 'openid') => ({ scope, claims: JSON.stringify(claims) });
const items = (page: Page) =>
  page.html.querySelectorAll('.gh-item').map((item) => item.text.replaceAll(/\s+/g, ' ').trim());

describe('single claims (OpenID Connect Core, section 5.5)', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());
  beforeEach(async () => {
    rp = await relyingParty(gatehouse, await gatehouse.app());
    person = await gatehouse.person();
    const { storage } = gatehouse;
    const account = (await storage.accounts.find(person.sub))!;
    await storage.accounts.update({ ...account, claims: { phone_number: '+4930123', birthdate: '1815-12-10' } });
    browser = new Browser(gatehouse.issuer);
  });
  const tokensFor = async (parameters: Record<string, string>) => {
    const { callback, checks } = await authorize(rp, person, parameters, browser);
    return rp.redeem(callback, checks);
  };
  const seen = async (parameters: Record<string, string>) => {
    const tokens = await tokensFor(parameters);
    return {
      idToken: tokens.claims()!,
      userinfo: await oidc.fetchUserInfo(rp.config, tokens.access_token, person.sub),
    };
  };

  it('go where they are asked for, and nothing else goes along', async () => {
    const { idToken, userinfo } = await seen(
      asking({ id_token: { birthdate: null }, userinfo: { phone_number: { essential: true } } }),
    );
    expect(idToken).toMatchObject({ birthdate: '1815-12-10' });
    expect(userinfo).toMatchObject({ phone_number: '+4930123' });
    for (const other of ['name', 'email', 'phone_number']) expect(idToken).not.toHaveProperty(other);
    for (const other of ['name', 'email', 'birthdate']) expect(userinfo).not.toHaveProperty(other);
  });

  it('are shown to the person, with the values that are asked for and no others', async () => {
    const page = await beginConsent(rp, browser, person, asking({ userinfo: { birthdate: null, email: null } }));
    expect(items(page)).toEqual(['Your name and picture 1815-12-10', `Your e-mail ${person.email}`]);
  });

  it('are remembered: the same request does not ask again, one for more does', async () => {
    await tokensFor(asking({ userinfo: { birthdate: null } }));
    expect((await begin(rp, browser, asking({ userinfo: { birthdate: null } }))).url.searchParams.has('code')).toBe(
      true,
    );
    const more = await begin(rp, browser, asking({ userinfo: { birthdate: null, phone_number: null } }));
    expect(items(more)).toEqual(['Your phone number New +4930123', 'Your name and picture 1815-12-10']);
  });

  it('that a scope covers go by the scope, also when the person unticks it', async () => {
    const page = await beginConsent(rp, browser, person, asking({ userinfo: { phone_number: null } }, 'openid phone'));
    expect(items(page)).toHaveLength(1);
    const { url, checks } = await rp.request(
      asking({ userinfo: { phone_number: { essential: true } } }, 'openid phone'),
    );
    const again = await browser.open(url);
    const done = await browser.submit(again, { decision: 'allow', scope: undefined });
    const tokens = await rp.redeem(done.url, checks);
    expect(await oidc.fetchUserInfo(rp.config, tokens.access_token, person.sub)).not.toHaveProperty('phone_number');
  });

  it('of a scope that the client may not ask for are left out', async () => {
    rp = await relyingParty(gatehouse, await gatehouse.app({ scope: 'openid email' }));
    const { userinfo } = await seen(asking({ userinfo: { phone_number: { essential: true }, email: null } }));
    expect(userinfo).toEqual({ sub: person.sub, email: person.email });
  });

  it('that nobody has heard of, or that are no claims, are left out', async () => {
    const { idToken, userinfo } = await seen(
      asking({
        id_token: { password_hash: null, nonsense: { value: 1 }, email: 'yes' },
        userinfo: { state: null },
        other: {},
      }),
    );
    for (const name of ['password_hash', 'nonsense', 'email']) expect(idToken).not.toHaveProperty(name);
    expect(Object.keys(userinfo)).toEqual(['sub']);
  });

  it('of the sign-in itself are met without being asked about', async () => {
    const { idToken } = await seen(
      asking({ id_token: { auth_time: { essential: true }, sub: { value: person.sub } } }),
    );
    expect(idToken['auth_time']).toBeTypeOf('number');
  });

  it('are asked for without pages from a first-party app', async () => {
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    expect((await seen(asking({ userinfo: { phone_number: null } }))).userinfo).toMatchObject({
      phone_number: '+4930123',
    });
  });

  it.each(['{', '[]', '7', 'null', '{"userinfo":[]}', '{"id_token":"x"}', '{"foo":{}}'])(
    'as %s are refused',
    async (claims) => {
      const page = await begin(rp, browser, { claims });
      expect(page.url.searchParams.get('error')).toBe('invalid_request');
    },
  );
});
