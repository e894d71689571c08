import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, begin, beginConsent, enterPassword, linkNamed } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const MARKUP = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`;
const TEMPLATE = '<%= process.env %>${7*7}{{brand}}$t(error.home)';

let gatehouse: Running;
beforeAll(async () => {
  gatehouse = await startGatehouse();
});
afterAll(() => gatehouse.stop());

describe('what strangers wrote stays text', () => {
  const harmless = (page: Page) => {
    expect(page.html.querySelectorAll('script:not([src])')).toHaveLength(0);
    expect(
      page.html.querySelectorAll('[onerror], [onload], [onclick], style, [style], iframe, object, base'),
    ).toHaveLength(0);
    for (const link of page.html.querySelectorAll('[href], [action], [src]'))
      expect(link.getAttribute('href') ?? link.getAttribute('action') ?? link.getAttribute('src')).not.toMatch(
        /^\s*(javascript|data|vbscript):/i,
      );
    expect(page.text).not.toContain('<script>alert');
  };

  it('on every page of a journey of an app and a person with names of markup', async () => {
    const rp = await relyingParty(
      gatehouse,
      await gatehouse.app({ name: MARKUP, client_uri: 'https://x.example/?"><script>alert(1)</script>' }),
    );
    const person = await gatehouse.person({ name: MARKUP });
    const browser = new Browser(gatehouse.issuer);
    const signIn = await begin(rp, browser, { login_hint: MARKUP, ui_locales: MARKUP, acr_values: MARKUP });
    const wrong = await browser.submit(signIn, { email: MARKUP, password: MARKUP });
    const signUp = await browser.open(linkNamed(signIn, 'Create an account'));
    const badSignUp = await browser.submit(signUp, { name: MARKUP, email: MARKUP, password: MARKUP });
    const consent = await enterPassword(browser, signIn, person);
    const logOut = await browser.open(`/session/end?client_id=${rp.app.client_id}&state=${encodeURIComponent(MARKUP)}`);
    const done = await browser.submit(await browser.open(consent.url), { decision: 'allow' });
    expect(done.status).toBe(0);
    const deadEnd = await browser.open(consent.url);
    for (const page of [signIn, wrong, signUp, badSignUp, consent, logOut, deadEnd]) harmless(page);
  });

  it('and is no template either', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app({ name: TEMPLATE }));
    const page = await beginConsent(rp, new Browser(gatehouse.issuer), await gatehouse.person({ name: TEMPLATE }));
    expect(page.html.querySelector('h1')!.text).toContain('${7*7}{{brand}}$t(error.home)');
    expect(page.text).not.toContain('PATH');
  });

  it.each([
    'client_id',
    'redirect_uri',
    'scope',
    'state',
    'response_type',
    'response_mode',
    'error',
    'error_description',
    'prompt',
    'id_token_hint',
    'resource',
  ])('in the parameter %s', async (name) => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const { url } = await rp.request();
    url.searchParams.set(name, MARKUP);
    harmless(await new Browser(gatehouse.issuer).open(url));
  });

  it('in the state of a form_post', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    const browser = new Browser(gatehouse.issuer);
    await authorize(rp, await gatehouse.person(), {}, browser);
    const page = await begin(rp, browser, { response_mode: 'form_post', state: MARKUP });
    expect(page.html.querySelector('input[name=state]')!.getAttribute('value')).toBe(MARKUP);
    expect(page.html.querySelectorAll('script')).toHaveLength(1);
  });

  it('in a path', async () => {
    for (const path of ['/', '/interaction/', '/auth/', '/logos/', '/assets/'])
      harmless(await new Browser(gatehouse.issuer).open(path + encodeURIComponent(MARKUP)));
  });

  it('in the reason that a log-out names', async () => {
    for (const name of ['id_token_hint', 'post_logout_redirect_uri', 'client_id', 'logout_hint', 'ui_locales'])
      harmless(await new Browser(gatehouse.issuer).open(`/session/end?${name}=${encodeURIComponent(MARKUP)}`));
  });
});

describe('headers', () => {
  const answers: [string, string, RequestInit?][] = [
    ['a page', '/'],
    ['a page of the library', '/session/end'],
    ['an error page', '/auth?client_id=x'],
    ['a dead end', '/interaction/x'],
    ['a page that is not there', '/nowhere'],
    ['a file', '/assets/theme.css'],
    ['a file that is not there', '/assets/nothing.css'],
    ['a logo that is not there', '/logos/x'],
    ['metadata', '/.well-known/openid-configuration'],
    ['keys', '/jwks'],
    ['a token', '/token', { method: 'POST', body: new URLSearchParams({ grant_type: 'x' }) }],
    ['userinfo', '/userinfo'],
    ['introspection', '/token/introspection', { method: 'POST', body: new URLSearchParams({ token: 'x' }) }],
    ['health', '/health'],
    ['a method that is not there', '/token', { method: 'DELETE' }],
    [
      'a preflight',
      '/token',
      { method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' } },
    ],
  ];

  it.each(answers)('protect %s', async (_what, path, init) => {
    for (const accept of ['text/html', 'application/json']) {
      const response = await fetch(gatehouse.issuer + path, {
        redirect: 'manual',
        ...init,
        headers: { accept, ...(init?.headers as object) },
      });
      const header = (name: string) => response.headers.get(name);
      expect(header('x-content-type-options')).toBe('nosniff');
      expect(header('x-frame-options')).toBe('DENY');
      expect(header('referrer-policy')).toBe('same-origin');
      expect(header('content-security-policy')).toMatch(
        /default-src 'self'.*form-action 'self'.*frame-ancestors 'none'/,
      );
      expect(header('content-security-policy')).not.toContain('unsafe');
      expect(header('x-powered-by')).toBeNull();
      expect(header('server')).toBeNull();
      expect(header('strict-transport-security')).toBeNull();
    }
  });

  it.each(
    answers.filter(
      ([what]) =>
        ![
          'a file',
          'a file that is not there',
          'a logo that is not there',
          'metadata',
          'keys',
          'health',
          'a preflight',
          'a method that is not there',
          'introspection',
        ].includes(what),
    ),
  )('forbid keeping %s', async (_what, path, init) => {
    const response = await fetch(gatehouse.issuer + path, {
      redirect: 'manual',
      ...init,
      headers: { accept: 'text/html' },
    });
    expect(response.headers.get('cache-control')).toContain('no-store');
  });

  it('forbid keeping the redirect that carries a code', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    const browser = new Browser(gatehouse.issuer);
    await authorize(rp, await gatehouse.person(), {}, browser);
    const response = await browser.request((await rp.request()).url);
    expect(response.headers.get('location')).toContain('code=');
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(response.headers.get('referrer-policy')).toBe('same-origin');
  });
});

describe('an error', () => {
  const REQUESTS = [
    '/nowhere',
    '/auth',
    '/auth?client_id=x',
    '/interaction/x/restart',
    '/userinfo',
    '/session/end?id_token_hint=x',
    '/assets/%2e%2e%2fsecrets',
    '/interaction/%zz',
  ];

  it.each(REQUESTS)('at %s has no stack and no path of ours', async (path) => {
    for (const accept of ['text/html', 'application/json', '*/*']) {
      const text = await (await fetch(gatehouse.issuer + path, { headers: { accept } })).text();
      expect(text).not.toMatch(/\bat .*\.(ts|js):\d|node_modules|\/work\/|Error:/);
    }
  });

  it('for people has a reference that is in the log', async () => {
    const page = await new Browser(gatehouse.issuer).open('/auth?client_id=unknown');
    const reference = page.html.querySelector('#reference')!.text;
    expect(reference).toMatch(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/);
    expect(gatehouse.logged.find((line) => line['reference'] === reference)).toMatchObject({
      path: '/auth',
      status: 400,
    });
  });

  it('for programs is JSON', async () => {
    const response = await fetch(`${gatehouse.issuer}/nowhere`, { headers: { accept: 'application/json' } });
    expect(await response.json()).toMatchObject({ error: 'not_found' });
  });

  it('of the store is a 503 that says when to come back, without a reason', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const { url } = await rp.request();
    const broken = await startGatehouse();
    const there = await relyingParty(broken, await broken.app());
    const { access_token } = await there.signIn(await broken.person());
    await broken.storage.close();
    for (const [path, init] of [
      ['/ready', {}],
      [`/auth${url.search}`, { headers: { accept: 'text/html' } }],
      [
        '/token',
        {
          method: 'POST',
          body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: 'x' }),
        },
      ],
      ['/userinfo', { headers: { authorization: `Bearer ${access_token}` } }],
      ['/interaction/x', { headers: { accept: 'text/html' } }],
      ['/logos/x', {}],
    ] as [string, RequestInit][]) {
      const response = await fetch(broken.issuer + path, { ...init, redirect: 'manual' });
      expect([path, response.status, response.headers.has('retry-after')]).toEqual([path, 503, true]);
      expect(await response.text()).not.toMatch(/sqlite|mongo|database|\.ts:/i);
    }
    await broken.stop().catch(() => undefined);
  });
});
