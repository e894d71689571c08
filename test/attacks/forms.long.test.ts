import { createHmac } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, begin, beginConsent, enterPassword, fieldValue, heading } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';
import { MEASURED } from '../support/timing.ts';

let gatehouse: Running;
let rp: RelyingParty;
let person: Person;
let browser: Browser;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  rp = await relyingParty(gatehouse, await gatehouse.app());
});
afterAll(() => gatehouse.stop());
beforeEach(async () => {
  person = await gatehouse.person();
  browser = new Browser(gatehouse.issuer);
});

const actionOf = (page: Page, suffix: string) =>
  page.html
    .querySelectorAll('form')
    .map((form) => form.getAttribute('action')!)
    .find((action) => action.endsWith(suffix))!;
const form = 'application/x-www-form-urlencoded';
type Body = string | Uint8Array | URLSearchParams;

/** As a browser would, but with any body. A server may answer before it has read everything. */
function post(
  path: string,
  body: Body,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const bytes = typeof body === 'object' && !(body instanceof URLSearchParams) ? body : Buffer.from(String(body));
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      new URL(path, gatehouse.issuer),
      {
        method: 'POST',
        agent: new Agent({ keepAlive: false }),
        headers: { 'content-type': form, 'content-length': bytes.length, accept: 'text/html', ...headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(bytes);
  });
}
const cookies = async (page: Page) => ({ cookie: await browser.jar.getCookieString(page.url.href) });
const credentials = (page: Page) => ({
  _csrf: fieldValue(page, '_csrf'),
  email: person.email,
  password: person.password,
});

describe('a forged form', () => {
  it.each([
    ['without the hidden value', () => ({ _csrf: '' })],
    ['with a guess', () => ({ _csrf: 'x'.repeat(43) })],
    ['with the value of another browser', (other: Page) => ({ _csrf: fieldValue(other, '_csrf') })],
  ])('%s does not sign in', async (_what, forged) => {
    const page = await begin(rp, browser);
    const other = await begin(rp, new Browser(gatehouse.issuer));
    const fields = new URLSearchParams({ ...credentials(page), ...forged(other) });
    const { status, text } = await post(actionOf(page, '/sign-in'), fields, await cookies(page));
    expect(status).toBe(403);
    expect(text).toContain('This form is no longer valid');
  });

  it.each(['cross-site', 'same-site'])('sent from a %s page is refused even with the right value', async (site) => {
    const page = await begin(rp, browser);
    const headers = { ...(await cookies(page)), 'sec-fetch-site': site };
    expect((await post(actionOf(page, '/sign-in'), new URLSearchParams(credentials(page)), headers)).status).toBe(403);
  });

  it('does not give consent', async () => {
    const page = await beginConsent(rp, browser, person);
    const fields = new URLSearchParams({ decision: 'allow', _csrf: 'x' });
    expect((await post(actionOf(page, '/consent'), fields, await cookies(page))).status).toBe(403);
    expect(await gatehouse.storage.consents.find(person.sub, rp.app.client_id)).toBeUndefined();
  });

  it.each(['sign-up', 'cancel', 'switch'])('does nothing at %s', async (step) => {
    const page = await beginConsent(rp, browser, person);
    const { status } = await post(`${page.url.pathname}/${step}`, 'name=x', await cookies(page));
    expect(status).toBe(403);
  });

  it('sent as JSON, as text or as multipart is not read', async () => {
    const page = await begin(rp, browser);
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
      const body = JSON.stringify(credentials(page));
      const { status } = await post(actionOf(page, '/sign-in'), body, {
        ...(await cookies(page)),
        'content-type': type,
      });
      expect([400, 403, 415]).toContain(status);
    }
  });

  it('sent by GET changes nothing', async () => {
    const page = await begin(rp, browser);
    const url = new URL(actionOf(page, '/sign-in'), gatehouse.issuer);
    url.search = new URLSearchParams(credentials(page)).toString();
    const answer = await browser.open(url);
    expect(heading(answer)).toBe('Sign in to Acme Notes');
  });
});

describe('a tampered cookie', () => {
  const tamper = (value: string) => (value.startsWith('A') ? 'B' : 'A') + value.slice(1);

  async function signInThenTamper(change: (name: string, value: string) => string) {
    await authorize(rp, person, {}, browser);
    const header = (await browser.jar.getCookieString(gatehouse.issuer))
      .split('; ')
      .map((pair) => {
        const [name, ...rest] = pair.split('=');
        return `${name}=${change(name!, rest.join('='))}`;
      })
      .join('; ');
    const { url } = await rp.request({ prompt: 'none' });
    const response = await fetch(url, { headers: { cookie: header }, redirect: 'manual' });
    return new URL(response.headers.get('location')!);
  }

  it('untouched is a session', async () => {
    expect((await signInThenTamper((_name, value) => value)).searchParams.has('code')).toBe(true);
  });

  it.each([
    [
      'with another session id',
      (name: string, value: string) => (name === 'gatehouse_session' ? tamper(value) : value),
    ],
    ['with another signature', (name: string, value: string) => (name.endsWith('.sig') ? tamper(value) : value)],
    ['without a signature', (name: string, value: string) => (name.endsWith('.sig') ? '' : value)],
    [
      'signed with a key that anybody could guess',
      (name: string, value: string) =>
        name.endsWith('.sig') ? createHmac('sha1', '').update('x').digest('base64url') : value,
    ],
  ])('%s is no session', async (_what, change) => {
    expect((await signInThenTamper(change)).searchParams.get('error')).toBe('login_required');
  });

  it('of the interaction leads to a dead end and not to the person', async () => {
    const page = await beginConsent(rp, browser, person);
    const { cookie } = await cookies(page);
    const response = await fetch(page.url, {
      headers: { accept: 'text/html', cookie: cookie.replace('gatehouse_interaction=', 'gatehouse_interaction=x') },
    });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain(person.email);
  });

  it('of another interaction does not open this one', async () => {
    const victim = await beginConsent(rp, browser, person);
    const attacker = new Browser(gatehouse.issuer);
    const own = await begin(rp, attacker);
    const cookie = await attacker.jar.getCookieString(own.url.href);
    const response = await fetch(victim.url, { headers: { accept: 'text/html', cookie } });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain(person.email);
  });

  it('of the form is refused', async () => {
    const page = await begin(rp, browser);
    const { cookie } = await cookies(page);
    const headers = {
      cookie: cookie.replace(/(gatehouse_csrf=)(.)/, (_, name, first) => `${name}${first === 'A' ? 'B' : 'A'}`),
    };
    expect((await post(actionOf(page, '/sign-in'), new URLSearchParams(credentials(page)), headers)).status).toBe(403);
  });

  it.each(['gatehouse_session', 'gatehouse_interaction', 'gatehouse_resume', 'gatehouse_csrf'])(
    '%s of nonsense is no failure of ours',
    async (name) => {
      for (const value of ['', '=', '%00', '%E0%A4%A', '"', 'x'.repeat(7000), '\u00ff'])
        for (const path of ['/', '/interaction/x', '/auth/x', '/session/end', '/auth?client_id=x']) {
          const response = await fetch(gatehouse.issuer + path, {
            headers: { cookie: `${name}=${value}; ${name}.sig=${value}` },
          });
          expect([path, value.slice(0, 9), response.status >= 500]).toEqual([path, value.slice(0, 9), false]);
        }
    },
  );
});

describe('a monstrous form', () => {
  const TEN_MB = 10 * 1024 * 1024;
  let page: Page;
  beforeEach(async () => {
    page = await begin(rp, browser);
  });
  const submit = async (body: Body, headers: Record<string, string> = {}) =>
    post(actionOf(page, '/sign-in'), body, { ...(await cookies(page)), ...headers });
  const stillWorks = async () =>
    expect(heading(await enterPassword(browser, page, person))).toBe('Acme Notes wants access');

  it('of 10 MB is refused and the server goes on', async () => {
    const outcome = await submit(`email=${'x'.repeat(TEN_MB)}`).catch((error: NodeJS.ErrnoException) => error.code);
    expect([413, 'ECONNRESET', 'EPIPE']).toContain(typeof outcome === 'object' ? outcome.status : outcome);
    await stillWorks();
  });

  it.each([
    '/token',
    '/auth',
    '/session/end/confirm',
    '/token/introspection',
    '/token/revocation',
    '/request',
    '/userinfo',
  ])('of 10 MB is refused at %s', async (path) => {
    const outcome = await post(path, `a=${'x'.repeat(TEN_MB)}`).catch((error: NodeJS.ErrnoException) => error.code);
    expect([400, 401, 404, 413, 'ECONNRESET', 'EPIPE']).toContain(
      typeof outcome === 'object' ? outcome.status : outcome,
    );
    await stillWorks();
  });

  it('that unpacks to 100 MB is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024, 'a'));
    const outcome = await submit(bomb, { 'content-encoding': 'gzip' }).catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect([400, 413, 'ECONNRESET', 'EPIPE']).toContain(typeof outcome === 'object' ? outcome.status : outcome);
    await stillWorks();
  });

  it('of a thousand fields is read or refused, never a failure', async () => {
    const fields = new URLSearchParams(credentials(page));
    for (let index = 0; index < 1000; index += 1) fields.append(`field${index}`, 'x');
    expect((await submit(fields)).status).toBeLessThan(500);
    const many = new URLSearchParams(Array.from({ length: 5000 }, (_, index): [string, string] => [`a${index}`, '']));
    expect((await submit(many)).status).toBeLessThan(500);
  });

  it('of a thousand values for one field is refused', async () => {
    const fields = new URLSearchParams(credentials(page));
    for (let index = 0; index < 1000; index += 1) fields.append('email', 'x');
    expect((await submit(fields)).status).toBe(400);
  });

  it.each(['email', 'password', '_csrf'])('with %s twice does not sign in', async (name) => {
    const fields = new URLSearchParams(credentials(page));
    fields.append(name, 'other');
    expect([400, 401, 403]).toContain((await submit(fields)).status);
  });

  it.each([
    ['nested fields', (csrf: string) => `_csrf=${csrf}&email[]=a&email[b][c]=d&password[$ne]=x`],
    [
      'a prototype',
      (csrf: string) => `_csrf=${csrf}&__proto__[email]=a&constructor[prototype][x]=1&email=a&password=b`,
    ],
    [
      'bytes that are no UTF-8',
      (csrf: string) =>
        Buffer.concat([
          Buffer.from(`_csrf=${csrf}&email=`),
          Buffer.of(0xff, 0xfe, 0xc0, 0x80),
          Buffer.from('&password=x'),
        ]),
    ],
    ['overlong UTF-8', (csrf: string) => `_csrf=${csrf}&email=%C0%AF%ED%A0%80&password=%FF`],
    ['bad percent-encoding', (csrf: string) => `_csrf=${csrf}&email=%&password=%zz%E0%A4%A`],
    ['NUL bytes', (csrf: string) => `_csrf=${csrf}&email=a%00@example.com&password=%00%00%00`],
    ['line breaks', (csrf: string) => `_csrf=${csrf}&email=a%0d%0aBcc:x@example.com&password=x%0d%0a`],
    ['nothing', () => ''],
    ['only separators', () => '&&&===&&&'],
  ])('of %s is refused without a failure', async (_what, body) => {
    const { status, text } = await submit(body(fieldValue(page, '_csrf')));
    expect([400, 401, 403]).toContain(status);
    expect(text).not.toContain(' at ');
    await stillWorks();
  });

  it.each(['charset=x-unknown', 'charset=utf-16', 'charset="', 'charset=../../etc'])(
    'in %s is no failure',
    async (charset) => {
      const { status } = await submit(new URLSearchParams(credentials(page)), {
        'content-type': `${form}; ${charset}`,
      });
      expect(status).toBeLessThan(500);
      expect((await post('/token', 'grant_type=x', { 'content-type': `${form}; ${charset}` })).status).toBeLessThan(
        500,
      );
    },
  );

  it('with a password of 300 characters is told so before any hashing', async () => {
    const { status, text } = await submit(new URLSearchParams({ ...credentials(page), password: 'x'.repeat(300) }));
    expect(status).toBe(400);
    expect(text).toContain('too long');
  });

  it('with a password of 1 MB is refused before any hashing', MEASURED, async () => {
    const started = performance.now();
    const outcome = await submit(new URLSearchParams({ ...credentials(page), password: 'x'.repeat(1_000_000) })).catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect([413, 'ECONNRESET', 'EPIPE']).toContain(typeof outcome === 'object' ? outcome.status : outcome);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('at the sign-up creates nobody', async () => {
    const { status } = await post(
      `${page.url.pathname}/sign-up`,
      `_csrf=${fieldValue(page, '_csrf')}&name=A&email=new@example.com&email=other@example.com&password=quite+a+good+one`,
      await cookies(page),
    );
    expect(status).toBe(400);
    await expect(gatehouse.accounts.get('new@example.com')).rejects.toThrow();
  });
});

describe('monstrous parameters', () => {
  it('a thousand of them are no failure', async () => {
    const { url } = await rp.request();
    for (let index = 0; index < 400; index += 1) url.searchParams.append(`p${index}`, 'x');
    expect((await browser.open(url)).status).toBe(200);
  });

  it('a request line of 20 kB is refused by itself', async () => {
    const response = await fetch(`${gatehouse.issuer}/auth?state=${'x'.repeat(20_000)}`);
    expect(response.status).toBe(431);
  });

  it.each([
    '%',
    '%zz',
    '%E0%A4%A',
    '%00',
    '%C0%AF',
    '%ED%A0%80',
    '%2e%2e%2f',
    '..%2f..%2fetc%2fpasswd',
    '%0d%0aSet-Cookie:x=1',
  ])('%s in a query is no failure', async (text) => {
    const base = `client_id=${rp.app.client_id}&response_type=code&code_challenge=${'x'.repeat(43)}&code_challenge_method=S256`;
    for (const name of [
      'client_id',
      'redirect_uri',
      'scope',
      'state',
      'login_hint',
      'ui_locales',
      'resource',
      'id_token_hint',
      'max_age',
      text,
    ]) {
      const page = await browser.open(`/auth?${base}&${name}=${text}`);
      expect([name, page.status >= 500]).toEqual([name, false]);
    }
  });

  const PATHS = [
    '%',
    '%zz',
    '%E0%A4%A',
    '%00',
    '%C0%AF',
    '..%2f..%2fpackage.json',
    '%2e%2e%2f%2e%2e%2fpackage.json',
    'x%0d%0ax',
  ];

  it.each(['/', '/assets/', '/interaction/', '/auth/', '/session/', '/.well-known/', '/token/'])(
    'bad encodings below %s are no failure',
    async (path) => {
      for (const text of PATHS) {
        const { status, text: body } = await post(path + text, 'a=b');
        expect([text, status >= 500]).toEqual([text, false]);
        const response = await fetch(gatehouse.issuer + path + text, { headers: { accept: 'text/html' } });
        expect([text, response.status >= 500]).toEqual([text, false]);
        expect(body + (await response.text())).not.toContain('"dependencies"');
      }
    },
  );

  it('bad encodings below /logos/ are no failure', async () => {
    for (const text of PATHS) {
      const { status } = await fetch(`${gatehouse.issuer}/logos/${text}`);
      expect([text, status]).toEqual([text, 404]);
    }
  });

  it('duplicates at the token endpoint are refused', async () => {
    const body = new URLSearchParams([
      ['grant_type', 'authorization_code'],
      ['grant_type', 'refresh_token'],
      ['code', 'x'],
      ['code', 'y'],
    ]);
    const { client_id, client_secret } = rp.app;
    const response = await fetch(`${gatehouse.issuer}/token`, {
      method: 'POST',
      body,
      headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  });

  it('two kinds of client authentication at once are refused', async () => {
    const { client_id, client_secret } = rp.app;
    const answer = await as(gatehouse, rp.app).refresh('x', { client_id, client_secret: client_secret! });
    expect(answer.body['error']).toBe('invalid_request');
  });

  it.each([
    'Basic',
    'Basic x',
    'Basic %%%',
    'Basic OmE=',
    'Bearer x',
    `Basic ${btoa('\u0000:\u0000')}`,
    `Basic ${btoa('%:%')}`,
    'Basic '.padEnd(9000, 'A'),
  ])('the authorization header %j is no failure', async (authorization) => {
    for (const path of ['/token', '/token/introspection', '/token/revocation', '/userinfo', '/request']) {
      const response = await fetch(gatehouse.issuer + path, {
        method: 'POST',
        headers: { authorization },
        body: new URLSearchParams({ grant_type: 'client_credentials', token: 'x' }),
      });
      expect([path, response.status >= 400 && response.status < 500]).toEqual([path, true]);
    }
  });

  it.each(['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'HEAD', 'OPTIONS'])(
    'the method %s is no failure',
    async (method) => {
      for (const path of ['/', '/auth', '/token', '/interaction/x', '/assets/theme.css', '/logos/x', '/health']) {
        const status = await new Promise<number>((resolve, reject) => {
          httpRequest(new URL(path, gatehouse.issuer), { method }, (response) => {
            response.resume();
            resolve(response.statusCode!);
          })
            .on('error', reject)
            .end();
        });
        expect([path, status >= 500 && status !== 501]).toEqual([path, false]);
      }
    },
  );
});
