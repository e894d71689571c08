/** What is particular to Microsoft Entra (tenants, e-mails that prove nothing) and to Apple (a form, a signed secret, text for true). */
import { generateKeyPairSync } from 'node:crypto';
import { jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../src/kernel/ids.ts';
import { Browser } from '../../support/browser.ts';
import type { Page } from '../../support/browser.ts';
import type { Running } from '../../support/gatehouse.ts';
import { alertText, heading } from '../../support/journey.ts';
import { relyingParty } from '../../support/relying-party.ts';
import type { RelyingParty } from '../../support/relying-party.ts';
import { CLIENT, startOpenidServer } from '../../support/upstream-servers.ts';
import type { OpenidServer } from '../../support/upstream-servers.ts';
import { comeBackTo, goTo, startWithUpstreams } from '../../support/upstream.ts';

const TENANT = '11111111-2222-3333-4444-555555555555';
const OTHER_TENANT = '99999999-2222-3333-4444-555555555555';

describe('Microsoft', () => {
  let entra: OpenidServer;
  let gatehouse: Running;
  let rp: RelyingParty;
  let browser: Browser;
  beforeAll(async () => {
    entra = await startOpenidServer({ path: '/common/v2.0', template: '/{tenantid}/v2.0' });
    const settings = { type: 'microsoft', ...CLIENT, issuer: entra.issuer };
    gatehouse = await startWithUpstreams({
      microsoft: { ...settings, type: undefined },
      trusted: { ...settings, trust_email: true, allowed_tenants: [TENANT] },
    });
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(async () => {
    await gatehouse.stop();
    await entra.stop();
  });
  beforeEach(() => {
    browser = new Browser(gatehouse.issuer);
  });

  const claims = (tid = TENANT, more: Record<string, unknown> = {}) => {
    const sub = newId();
    const iss = `${new URL(entra.issuer).origin}/${tid}/v2.0`;
    return { sub, tid, iss, email: `${sub}@contoso.example`, name: 'Ada', ...more };
  };
  async function answered(provider: string, said: Record<string, unknown>): Promise<Page> {
    const { away } = await goTo(rp, browser, provider);
    return browser.open(entra.approve(away, said));
  }

  it('does not make an account from an e-mail that its tenant merely wrote down', async () => {
    const page = await answered('microsoft', claims());
    expect([page.status, alertText(page)]).toEqual([403, expect.stringContaining('cannot say') as string]);
    expect((await answered('microsoft', claims(TENANT, { email_verified: true }))).status).toBe(403);
  });

  it('is believed where it says that the tenant owns the domain, or where the configuration does', async () => {
    for (const xms_edov of [true, '1']) {
      browser = new Browser(gatehouse.issuer);
      expect(heading(await answered('microsoft', claims(TENANT, { xms_edov })))).toContain('wants access');
    }
    browser = new Browser(gatehouse.issuer);
    const said = claims();
    const { away, checks } = await goTo(rp, browser, 'trusted');
    const claimed = await comeBackTo(rp, browser, entra.approve(away, said), checks);
    expect(claimed).toMatchObject({ email: said.email, email_verified: true });
    expect(await gatehouse.linking.identitiesOf(claimed.sub)).toMatchObject([{ issuer: said.iss }]);
  });

  it('lets in the people of allowed tenants only', async () => {
    const page = await answered('trusted', claims(OTHER_TENANT));
    expect([page.status, alertText(page)]).toEqual([403, expect.stringContaining('may not be used here') as string]);
  });

  it('is refused where issuer and tenant do not agree, or the tenant is none', async () => {
    const wrong = [{ iss: claims(OTHER_TENANT).iss }, { tid: undefined }, { tid: 'x', iss: claims('x').iss }];
    for (const more of wrong) {
      browser = new Browser(gatehouse.issuer);
      expect((await answered('trusted', claims(TENANT, more))).status).toBe(502);
    }
  });
});

describe('Apple', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  let apple: OpenidServer;
  let gatehouse: Running;
  let rp: RelyingParty;
  let browser: Browser;
  beforeAll(async () => {
    apple = await startOpenidServer({
      metadata: { response_modes_supported: ['query', 'fragment', 'form_post'] },
      async authenticates(form) {
        const { payload, protectedHeader } = await jwtVerify(form.get('client_secret')!, publicKey, {
          issuer: 'TEAM',
          subject: CLIENT.client_id,
          audience: apple.issuer,
          maxTokenAge: '5 minutes',
        });
        return protectedHeader.kid === 'KEY' && protectedHeader.alg === 'ES256' && payload.exp! > payload.iat!;
      },
    });
    gatehouse = await startWithUpstreams({
      apple: {
        client_id: CLIENT.client_id,
        team_id: 'TEAM',
        key_id: 'KEY',
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
        issuer: apple.issuer,
      },
    });
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(async () => {
    await gatehouse.stop();
    await apple.stop();
  });
  beforeEach(() => {
    browser = new Browser(gatehouse.issuer);
  });

  const claims = (more: Record<string, unknown> = {}) => {
    const sub = newId();
    return { sub, email: `${sub}@privaterelay.appleid.com`, email_verified: 'true', is_private_email: 'true', ...more };
  };

  /** Apple's page sends a form from another site: the browser brings no Lax cookies along. */
  async function postForm(callback: URL, fields: Record<string, string> = {}): Promise<Response> {
    const body = new URLSearchParams(callback.searchParams);
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return fetch(callback.origin + callback.pathname, {
      method: 'POST',
      body,
      redirect: 'manual',
      headers: { origin: 'https://appleid.apple.com', 'sec-fetch-site': 'cross-site', accept: 'text/html' },
    });
  }
  const nextOf = (response: Response) => new URL(response.headers.get('location')!, gatehouse.issuer);

  it('answers by a form from its own site; the name comes once, beside it', async () => {
    const said = claims();
    const { away, checks } = await goTo(rp, browser, 'apple');
    expect(away.searchParams.get('response_mode')).toBe('form_post');
    const user = JSON.stringify({ name: { firstName: 'Ada', lastName: 'Lovelace' }, email: 'planted@example.com' });
    const kept = await postForm(apple.approve(away, said), { user });
    expect(kept.status).toBe(303);
    expect(nextOf(kept).search).not.toContain('code');
    const first = await comeBackTo(rp, browser, nextOf(kept), checks);
    expect(first).toMatchObject({ email: said.email, email_verified: true, name: 'Ada Lovelace' });

    browser = new Browser(gatehouse.issuer);
    const again = await goTo(rp, browser, 'apple');
    const second = await postForm(apple.approve(again.away, { ...said, email: undefined, email_verified: undefined }));
    expect(await comeBackTo(rp, browser, nextOf(second), again.checks)).toMatchObject({
      sub: first.sub,
      name: 'Ada Lovelace',
    });
  });

  it('that does not call an e-mail verified makes no account', async () => {
    const { away } = await goTo(rp, browser, 'apple');
    const page = await browser.open(nextOf(await postForm(apple.approve(away, claims({ email_verified: 'false' })))));
    expect([page.status, alertText(page)]).toEqual([403, expect.stringContaining('cannot say') as string]);
  });

  it('is cancelled by a word of its own', async () => {
    const { away } = await goTo(rp, browser, 'apple');
    const page = await browser.open(nextOf(await postForm(apple.refuse(away, 'user_cancelled_authorize'))));
    expect(page.text).toContain('You did not sign in with Apple');
  });

  it('sends a form that counts once, in the browser that began, and not without a sign-in that waits for it', async () => {
    const { away } = await goTo(rp, browser, 'apple');
    const next = nextOf(await postForm(apple.approve(away, claims())));
    expect(heading(await new Browser(gatehouse.issuer).open(next))).toBe('Go on where you began');
    expect(heading(await browser.open(next))).toBe('This sign-in is over');
    const made = new URL(`${gatehouse.issuer}/federation/apple/callback?state=made-up&code=x`);
    expect((await postForm(made)).status).toBe(400);
  });
});
