import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { relyingParty } from '../support/relying-party.ts';
import { onTheWire, plainRequest } from '../support/wire.ts';

const DISCOVERY = '/.well-known/openid-configuration';
const EVIL = 'evil.example';

describe('a request that lies about where it was sent', () => {
  let gatehouse: Running;
  let Host: string;
  let authorization: string;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    Host = new URL(gatehouse.issuer).host;
    const { url } = await (await relyingParty(gatehouse, await gatehouse.app())).request();
    authorization = url.pathname + url.search;
  });
  afterAll(() => gatehouse.stop());

  const send = (line: string, headers: Record<string, string> = { Host }) =>
    onTheWire(gatehouse.issuer, plainRequest(line, headers));
  const lies: [string, string, (path: string) => [string, Record<string, string>]][] = [
    ['Host', 'json', (path) => [path, { Host: EVIL }]],
    ['X-Forwarded-Host', 'json', (path) => [path, { Host, 'X-Forwarded-Host': EVIL, 'X-Forwarded-Proto': 'https' }]],
    ['Forwarded', 'json', (path) => [path, { Host, Forwarded: `host=${EVIL};proto=https` }]],
    ['an absolute target', 'json', (path) => [`http://${EVIL}${path}`, { Host }]],
    ['an absolute target and Host', 'json', (path) => [`https://${EVIL}${path}`, { Host: EVIL }]],
    ['X-Original-URL', 'json', (path) => [path, { Host, 'X-Original-URL': `http://${EVIL}/`, 'X-Rewrite-URL': '/' }]],
    [
      'X-Forwarded-Prefix',
      'json',
      (path) => [path, { Host, 'X-Forwarded-Prefix': `//${EVIL}`, 'X-Forwarded-Port': '1' }],
    ],
  ];

  it.each(lies)('by %s gets the same metadata', async (_how, _accept, lie) => {
    const [target, headers] = lie(DISCOVERY);
    const { status, body } = await send(`GET ${target}`, headers);
    expect(status).toBe(200);
    expect(body).toContain(`"issuer":"${gatehouse.issuer}"`);
    expect(body).not.toContain(EVIL);
  });

  it.each(lies)('by %s is led to our own pages', async (_how, _accept, lie) => {
    const [target, headers] = lie(authorization);
    const { status, head } = await send(`GET ${target}`, headers);
    expect(status).toBe(303);
    expect(head).toMatch(/\r\nLocation: \/interaction\//i);
    expect(head).not.toContain(EVIL);
  });

  it('by a browser gets a page that names the header a proxy must pass on', async () => {
    const { status, body } = await send('GET /', { Host: EVIL, Accept: 'text/html' });
    expect(status).toBe(421);
    expect(body).toContain('Host');
    expect(body).toContain(`href="${gatehouse.issuer}`);
    expect(body).not.toContain(`//${EVIL}`);
  });

  it('is logged once, not once per request', async () => {
    const Host = 'once.example';
    await Promise.all([1, 2, 3].map(() => send('GET /', { Host })));
    expect(gatehouse.logged.filter((line) => line['received'] === Host)).toHaveLength(1);
  });

  it('from thousands of names does not fill the log', async () => {
    for (let index = 0; index < 150; index += 1) await send('GET /health', { Host: `h${index}.example` });
    for (let index = 0; index < 150; index += 1) await send('GET /', { Host: `h${index}.example` });
    expect(gatehouse.logged.filter((line) => String(line['received']).startsWith('h')).length).toBeLessThanOrEqual(100);
  });

  it('by a forwarded host of markup gets it back as text', async () => {
    const { body } = await send('GET /', {
      Host,
      'X-Forwarded-Host': '<script>alert(1)</script>',
      Accept: 'text/html',
    });
    expect(body).not.toContain('<script>alert');
  });
});

describe('a malformed request', () => {
  let gatehouse: Running;
  let Host: string;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    Host = new URL(gatehouse.issuer).host;
  });
  afterAll(() => gatehouse.stop());
  const raw = (bytes: string | Uint8Array) => onTheWire(gatehouse.issuer, bytes);
  const send = (line: string, headers: Record<string, string> = { Host }) => raw(plainRequest(line, headers));

  const tooLong = (body: string) =>
    `POST /token HTTP/1.1\r\nHost: ${Host}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\n${body}`;

  it.each([
    'a b',
    'evil.example/x',
    'user@evil.example',
    '[::1',
    'a:b:c',
    ':80',
    'a:99999',
    '%',
    'a\\b',
    '?',
    '#',
    '<x>',
    '..%00',
  ])('whose Host is %j is a 400', async (host) => {
    for (const path of ['/', '/auth', '/.well-known/openid-configuration', '/token'])
      expect([path, (await send(`GET ${path}`, { Host: host })).status]).toEqual([path, 400]);
  });

  it('without a Host is a 400', async () => {
    expect((await send('GET /', {})).status).toBe(400);
  });

  it('with two Hosts is a 400', async () => {
    expect(
      (await raw(`GET / HTTP/1.1\r\nHost: ${Host}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`)).status,
    ).toBe(400);
  });

  it('of HTTP/1.0 without a Host is answered', async () => {
    expect((await raw('GET /health HTTP/1.0\r\n\r\n')).status).toBe(200);
  });

  it.each([
    'http://',
    'http://[',
    'foo:bar',
    'http:evil',
    'a',
    '?',
    '//',
    '///',
    '/\\',
    '*',
    '/%',
    '/?%',
    'mailto:x@y',
    '/auth/../../..',
    '//evil.example//',
  ])('whose target is %s is no failure', async (target) => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const { status, head } = await send(`${method} ${target}`, { Host, Accept: 'text/html' });
      expect([method, status >= 200 && status < 500]).toEqual([method, true]);
      expect(head).not.toContain('evil');
    }
  });

  it.each([
    ['bytes that are no UTF-8 in the path', Buffer.from([0x2f, 0xff, 0xfe])],
    ['bytes that are no UTF-8 in the query', Buffer.from([0x2f, 0x61, 0x75, 0x74, 0x68, 0x3f, 0x61, 0x3d, 0xff])],
  ])('with %s is no failure', async (_what, target) => {
    const request = Buffer.concat([
      Buffer.from('GET '),
      target,
      Buffer.from(` HTTP/1.1\r\nHost: ${Host}\r\nConnection: close\r\n\r\n`),
    ]);
    const { status } = await raw(request);
    expect(status >= 200 && status < 500).toBe(true);
  });

  it.each([
    ['a length that lies', 'Content-Length: 5\r\n', 'a=b&grant_type=client_credentials'],
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2\r\n', 'ab'],
    ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nGET /x HTTP/1.1\r\n\r\n'],
    ['an unknown coding', 'Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'],
  ])('with %s is refused without a failure', async (_what, headers, body) => {
    const { status } = await raw(
      `POST /token HTTP/1.1\r\nHost: ${Host}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n${headers}\r\n${body}`,
    );
    expect([0, 400, 401, 501]).toContain(status);
  });

  it('cannot set a header by a line break in a parameter', async () => {
    const { head } = await send('GET /auth?client_id=x&state=%0d%0aX-Evil:1&redirect_uri=%0d%0aX-Evil:1');
    expect(head).not.toContain('X-Evil');
  });

  it('with an early end of the body is survived', async () => {
    const socket = connect(Number(new URL(gatehouse.issuer).port), '127.0.0.1');
    socket.write(
      `POST /token HTTP/1.1\r\nHost: ${Host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nabc`,
    );
    await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    expect((await send('GET /health')).status).toBe(200);
  });

  it('does not put what it carried into the log', async () => {
    const secret = 'code_verifier=a-secret-that-was-sent';
    await raw(tooLong(secret));
    const bytes = [...Buffer.from(secret)].join(',');
    const log = JSON.stringify(gatehouse.logged);
    expect(log.includes(secret) || log.includes(bytes)).toBe(false);
  });

  it('is no error of ours in the log', async () => {
    await raw(tooLong('a=b&c=d'));
    expect(gatehouse.logged.filter((line) => Number(line['level']) >= 50)).toEqual([]);
  });

  it('never brings the server down', async () => {
    expect((await send('GET /ready')).status).toBe(200);
  });
});
