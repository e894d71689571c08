/** A Gatehouse whose upstream is another Gatehouse, in real HTTP. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newSecret } from '../../../src/kernel/ids.ts';
import { Browser } from '../../support/browser.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { alertText, heading } from '../../support/journey.ts';
import type { Person } from '../../support/journey.ts';
import { freePort } from '../../support/ports.ts';
import { clickThrough, relyingParty } from '../../support/relying-party.ts';
import type { RelyingParty } from '../../support/relying-party.ts';
import { press, startWithUpstreams } from '../../support/upstream.ts';

describe('a person signs in with another OpenID provider', () => {
  let company: Running;
  let gatehouse: Running;
  let rp: RelyingParty;
  let here: Browser;
  let there: Browser;
  beforeAll(async () => {
    company = await startGatehouse();
    const port = await freePort();
    const { client_id, client_secret } = await company.app({
      name: 'Gatehouse',
      redirect_uris: [`http://localhost:${port}/federation/company/callback`],
    });
    gatehouse = await startWithUpstreams(
      { company: { type: 'oidc', display_name: 'The Company', issuer: company.issuer, client_id, client_secret } },
      {},
      '',
      port,
    );
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(async () => {
    await gatehouse.stop();
    await company.stop();
  });
  beforeEach(() => {
    here = new Browser(gatehouse.issuer);
    there = new Browser(company.issuer);
  });

  async function signIn(person: Person, parameters: Record<string, string> = {}) {
    const { url, checks } = await rp.request(parameters);
    const away = await press(here, await here.open(url), 'company');
    let page = await here.open(await clickThrough(there, away, person));
    if (page.html.querySelector('button[name=decision]')) page = await here.submit(page, { decision: 'allow' });
    return { page, tokens: async () => rp.redeem(page.url, checks) };
  }

  it('and gets an account with e-mail, name and what the app asked for', async () => {
    const person = await company.person({ name: 'Grace Hopper' });
    const { tokens } = await signIn(person, { scope: 'openid profile email' });
    const claims = (await tokens()).claims()!;
    expect(claims).toMatchObject({ name: 'Grace Hopper', email: person.email, email_verified: true });
    expect(claims.sub).not.toBe(person.sub);
    expect(claims['amr']).toBeUndefined();
    expect(claims['acr']).toBeUndefined();
    expect(claims['auth_time']).toBeTypeOf('number');
  });

  it('and is the same person the next time, whatever their e-mail is by then', async () => {
    const person = await company.person();
    const first = (await (await signIn(person)).tokens()).claims()!;
    await company.accounts.changeEmail(
      person.sub,
      { from: person.email, to: `new-${person.email}` },
      { verified: true, keepPassword: true },
    );
    here = new Browser(gatehouse.issuer);
    there = new Browser(company.issuer);
    const again = (await (await signIn({ ...person, email: `new-${person.email}` })).tokens()).claims()!;
    expect(again.sub).toBe(first.sub);
    expect(again['email']).toBe(person.email);
  });

  it('or cancels there, and finds the sign-in page with every way open', async () => {
    const { url } = await rp.request();
    const away = await press(here, await here.open(url), 'company');
    const cancelled = await there.submit(await there.open(away), {}, '/cancel');
    const page = await here.open(cancelled.url);
    expect(page.status).toBe(200);
    expect(page.text).toContain('You did not sign in with The Company');
    const person = await gatehouse.person();
    const done = await here.submit(page, { email: person.email, password: person.password });
    expect(heading(done)).toContain('wants access');
  });

  it('and joins an existing account only with its password', async () => {
    const email = `${newSecret().slice(0, 8).toLowerCase()}@example.com`;
    const upstream = await company.person({ email });
    const local = await gatehouse.person({ email, password: 'another long secret' });
    const { page } = await signIn(upstream);
    expect(heading(page)).toBe('Connect The Company to your account');
    const wrong = await here.submit(page, { password: 'not the password' });
    expect([wrong.status, alertText(wrong)]).toEqual([401, 'That e-mail and password do not match. Try again.']);
    const consent = await here.submit(wrong, { password: local.password });
    expect(heading(consent)).toContain('wants access');
    expect(await gatehouse.linking.identitiesOf(local.sub)).toMatchObject([{ provider: 'company', email }]);
    here = new Browser(gatehouse.issuer);
    const again = await signIn(upstream);
    expect((await again.tokens()).claims()).toMatchObject({ sub: local.sub });
  });
});
