/** A reference code leads an admin to what was wrong: what came in, what was expected, and where they first differ. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../support/admin-api.ts';
import { Browser } from '../../support/browser.ts';
import type { Page } from '../../support/browser.ts';
import { anAdmin, openConsole } from '../../support/console.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { backToNow, begin, passTime } from '../../support/journey.ts';
import { relyingParty } from '../../support/relying-party.ts';

let gatehouse: Running;
let app: Awaited<ReturnType<Running['app']>>;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
  app = await gatehouse.app({ redirect_uris: ['https://app.example/callback', 'https://app.example/other?tenant=1'] });
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

/** What is kept under the code of an answer. Nobody waited for it to be written. */
async function recordOf(reference: string | undefined) {
  expect(reference).toMatch(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/);
  await gatehouse.audit.idle();
  const { items } = await gatehouse.audit.search({ reference });
  expect(items).toHaveLength(1);
  return items[0]!;
}
const codeOn = (page: Page) => page.html.querySelector('#reference')?.text.trim();

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
async function authorize(parameters: Record<string, string>): Promise<Page> {
  const query = new URLSearchParams({
    client_id: app.client_id,
    response_type: 'code',
    redirect_uri: app.redirect_uri,
    scope: 'openid',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...parameters,
  });
  return new Browser(gatehouse.issuer).open(`/auth?${query.toString()}`);
}

describe('an error page', () => {
  it.each([
    ['https://app.example/callback/', 'slash', 'at character 29: came “/”, registered is it ends'],
    ['http://app.example/callback', 'scheme', 'at character 5: came “://app.examp”'],
    ['https://app.example:8443/callback', 'port', 'at character 20: came “:8443/callba”'],
    ['https://app.example/Callback', 'capital', 'at character 21: came “Callback”, registered is “callback”'],
  ])(
    'about the redirect URI %s says where it differs from the nearest one that is registered',
    async (came, hint, at) => {
      const { target, detail } = await recordOf(codeOn(await authorize({ redirect_uri: came })));
      expect(target).toEqual({ kind: 'client', id: app.client_id });
      expect(detail).toMatchObject({ came, at: 'authorization', error: 'invalid_redirect_uri' });
      expect(detail['expected']).toContain('https://app.example/callback');
      expect(detail['difference']).toContain(at);
      expect(detail['difference']).toContain(hint);
    },
  );

  it('about an unknown app says which id came', async () => {
    const { target, detail } = await recordOf(codeOn(await authorize({ client_id: 'app_mistyped' })));
    expect(target).toEqual({ kind: 'system', id: null });
    expect(detail).toMatchObject({ came: 'app_mistyped', problem: expect.stringContaining('no app') as string });
  });

  it('about a sign-in that is over says so', async () => {
    const rp = await relyingParty(gatehouse, app);
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser);
    passTime(7200);
    const { target, detail } = await recordOf(codeOn(await browser.open(page.url.href)));
    expect(target.id).toBe(app.client_id);
    expect(detail['problem']).toContain('the sign-in is over');
  });

  it('about a form of another site says which one', async () => {
    const page = await new Browser(gatehouse.issuer).open('/language', {
      method: 'POST',
      body: new URLSearchParams({ _csrf: 'guessed', lang: 'de' }),
    });
    const { detail } = await recordOf(codeOn(page));
    expect(detail).toMatchObject({ at: 'POST /language', status: String(page.status) });
  });
});

describe('an answer to a program', () => {
  const redeem = (body: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(`${gatehouse.issuer}/token`, { method: 'POST', body: new URLSearchParams(body), headers });

  it('names a code by which is found why the app was not known', async () => {
    const answer = await redeem({
      grant_type: 'authorization_code',
      client_id: app.client_id,
      client_secret: 'canary-of-a-secret',
      code: 'canary-of-a-code',
    });
    const { detail } = await recordOf(answer.headers.get('reference') ?? undefined);
    expect(detail).toMatchObject({ at: 'token', error: 'invalid_client', came: 'client_secret_post' });
    expect(detail['expected']).toBe('client_secret_basic');
    expect(JSON.stringify(detail)).not.toContain('canary');
  });

  it('sent to the app itself, as for want of PKCE, is found too', async () => {
    const rp = await fetch(
      `${gatehouse.issuer}/auth?${new URLSearchParams({ client_id: app.client_id, response_type: 'code', redirect_uri: app.redirect_uri, scope: 'openid' }).toString()}`,
      { redirect: 'manual' },
    );
    expect(rp.headers.get('location')).toContain('error=invalid_request');
    const { detail } = await recordOf(rp.headers.get('reference') ?? undefined);
    expect(detail).toMatchObject({ came: 'no code_challenge', difference: 'code_challenge is missing' });
  });

  it('that nobody is signed in, asked for without a page, is no mistake', async () => {
    const answer = await fetch(
      `${gatehouse.issuer}/auth?${new URLSearchParams({ client_id: app.client_id, response_type: 'code', redirect_uri: app.redirect_uri, scope: 'openid', prompt: 'none', code_challenge: CHALLENGE, code_challenge_method: 'S256' }).toString()}`,
      { redirect: 'manual' },
    );
    expect(answer.headers.get('location')).toContain('error=login_required');
    expect(answer.headers.get('reference')).toBeNull();
  });
});

describe('the record of a refused request', () => {
  it('is found by its code in the console and by the API, however it is typed', async () => {
    const code = codeOn(await authorize({ redirect_uri: 'https://app.example/callbacc' }))!;
    await gatehouse.audit.idle();
    const { admin, browser } = await anAdmin(gatehouse);
    const page = await openConsole(browser, admin, `/audit?reference=${code.toLowerCase()}`);
    expect(page.text).toContain('A request was refused');
    expect(page.text).toContain('at character 28');
    const { body } = await (await program(gatehouse)).get(`/audit?reference=${code}`);
    expect(body['items']).toMatchObject([{ type: 'request_refused', reference: code }]);
    expect(await gatehouse.audit.verify()).toMatchObject({ ok: true });
  });

  it('holds neither query, user, fragment nor address of a person', async () => {
    const came = 'https://ada:pw@app.example/callback?code=canary1&state=canary2#canary3';
    const page = await authorize({
      redirect_uri: came,
      state: 'canary4',
      nonce: 'canary5',
      login_hint: 'c6@example.com',
    });
    const { detail } = await recordOf(codeOn(page));
    expect(detail['came']).toBe('https://…@app.example/callback?code=…&state=…#…');
    expect(JSON.stringify(detail)).not.toMatch(/canary|pw@|c6@/);
  });

  it('is not drawn out of shape by what came in', async () => {
    const odd = `https://app.example/<script>alert(1)</script>\u202e\u0000${'x'.repeat(1500)}`;
    const { detail } = await recordOf(codeOn(await authorize({ redirect_uri: odd })));
    for (const value of Object.values(detail)) expect(value.length).toBeLessThan(1000);
    expect(JSON.stringify(detail)).not.toMatch(/[\u202e\0]/);
    const { admin, browser } = await anAdmin(gatehouse);
    const page = await openConsole(browser, admin, '/audit?type=request_refused');
    expect(page.html.querySelectorAll('main script')).toEqual([]);
  });

  it('has bounds: whoever sends many fills the record with few', async () => {
    passTime(120);
    const before = (await gatehouse.audit.search({ type: 'request_refused', limit: 500 })).items.length;
    for (let n = 0; n < 60; n += 1) await authorize({ client_id: `app_${n}` });
    await gatehouse.audit.idle();
    const kept = (await gatehouse.audit.search({ type: 'request_refused', limit: 500 })).items.length - before;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThanOrEqual(20);
    passTime(120);
    const { detail } = await recordOf(codeOn(await authorize({ client_id: 'app_later' })));
    expect(Number(detail['left_out'])).toBe(60 - kept);
  });
});
