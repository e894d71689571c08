/**
 * Token requests that are written in an odd way, as a form, in their headers and on the wire. Usual ones may be answered by a shorter way
 * than the library's: what is odd is read as the library reads it, or not at all.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bothGrants, GRANTS, later } from '../support/both-grants.ts';
import type { BothGrants, Grant } from '../support/both-grants.ts';
import { comparable, toldBy, UNUSUAL, USUAL } from '../support/both-ways.ts';
import type { Beside, Told, TokenRequest } from '../support/both-ways.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow } from '../support/journey.ts';

const FORM = 'application/x-www-form-urlencoded';

let gatehouse: Running;
let both: BothGrants;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
  both = await bothGrants(gatehouse);
});
afterAll(() => gatehouse.stop());
beforeEach(() => later(0, gatehouse));
afterEach(backToNow);

type Form = (usual: string, client: string) => string;
const percent = (text: string) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join('');
const reversed: Form = (usual) => usual.split('&').toReversed().join('&');
/** The grant alone, and what it goes with. */
const parts = (usual: string) => usual.split('&') as [string, string?];
const valueOf = (field: string) => field.slice(field.indexOf('=') + 1);

const GOOD_FORMS: Record<string, Form> = {
  'with its fields in another order': reversed,
  'with empty fields': (usual) => `&&${usual.replace('&', '&&')}&&=&`,
  'with names percent-encoded': (usual) =>
    usual.replace('grant_type', percent('grant_type')).replace('refresh_token=', `${percent('refresh_token')}=`),
  'with values percent-encoded': (usual) =>
    parts(usual)
      .map((field) => `${field!.slice(0, field!.indexOf('='))}=${percent(decodeURIComponent(valueOf(field!)))}`)
      .join('&'),
  'with the id of the client': (usual, client) => `${usual}&client_id=${client}`,
  'with an empty scope': (usual) => `${usual}&scope=`,
  'with a scope that is a name alone': (usual) => `${usual}&scope`,
  'with an empty resource': (usual) => `${usual}&resource=`,
  'with an empty secret': (usual) => `${usual}&client_secret=`,
  'with names of what objects have': (usual) => `${usual}&__proto__=1&constructor=2&toString=3&hasOwnProperty=4`,
  'with fields of other grants': (usual) => `${usual}&code=abc&redirect_uri=https://app.example/callback&nonce=n`,
  'with a field that nobody knows, twice': (usual) => `${usual}&y=1&y=2`,
};

const BAD_FORMS: Record<string, Form> = {
  'that is empty': () => '',
  'with the grant alone, twice': (usual) => `${parts(usual)[0]}&${usual}`,
  'with two grants': (usual) => `${usual}&grant_type=authorization_code`,
  'with two grants, one of them empty': (usual) => `${usual}&grant_type=`,
  'without a grant': (usual) => parts(usual)[1] ?? 'scope=openid',
  'with an empty grant': (usual) => usual.replace(/grant_type=\w+/, 'grant_type='),
  'with the grant in capitals': (usual) => usual.replace(/=\w+/, (text) => text.toUpperCase()),
  'with a space after the grant': (usual) => usual.replace(/grant_type=\w+/, '$&+'),
  'with a line break after it': (usual) => `${reversed(usual, '')}\r\n`,
  'with a null character after the grant': (usual) => usual.replace(/grant_type=\w+/, '$&%00'),
  'with bytes that are no letters after the grant': (usual) => usual.replace(/grant_type=\w+/, '$&%ff%fe'),
  'with half an encoding after the grant': (usual) => usual.replace(/grant_type=\w+/, '$&%'),
  'with a grant in brackets': (usual) => usual.replace('grant_type', 'grant_type[]'),
  'with a space before the name': (usual) => usual.replace('grant_type', '+grant_type'),
  'with semicolons between its fields': (usual) => `${usual};y=1`.replaceAll('&', ';'),
  'with a mark of byte order before it': (usual) => `\ufeff${usual}`,
  'that is JSON': (usual) => JSON.stringify(Object.fromEntries(new URLSearchParams(usual))),
  'with a thousand fields before it': (usual) => `${'y=1&'.repeat(1000)}${usual}`,
  'that is too long': (usual) => `${usual}&y=${'y'.repeat(60_000)}`,
  'with a grant that there is not': () => 'grant_type=password&username=a&password=b',
  'with the id of another client': (usual) => `${usual}&client_id=app_other`,
  'with the id of the client twice': (usual, client) => `${usual}&client_id=${client}&client_id=${client}`,
  'with a secret': (usual) => `${usual}&client_secret=${'0123456789abcdef'.repeat(2)}`,
  'with an assertion': (usual) => `${usual}&client_assertion=a.b.c`,
  'with two scopes': (usual) => `${usual}&scope=openid&scope=openid`,
  'with a scope that has odd letters': (usual) => `${usual}&scope=%22openid%22`,
  'with a scope that has bytes which are no letters': (usual) => `${usual}&scope=%ff`,
  'with a resource that there is not': (usual) => `${usual}&resource=urn:nowhere`,
  'with a resource that is no address': (usual) => `${usual}&resource=notes`,
  'with two resources': (usual) => `${usual}&resource=urn:a&resource=urn:b`,
};

const BAD_TOKENS: Record<string, Form> = {
  'no token': (usual) => parts(usual)[0],
  'an empty token': (usual) => `${parts(usual)[0]}&refresh_token=`,
  'a token twice': (usual) => `${usual}&${parts(usual)[1]!}`,
  'a token in brackets': (usual) => usual.replace('&refresh_token', '&refresh_token[]'),
  'a space before the token': (usual) =>
    usual.replace('refresh_token=', 'refresh_token=+').replace('=+refresh', '=refresh'),
  'a space after the token': (usual) => `${usual}+`,
  'a null character after the token': (usual) => `${usual}%00`,
  'bytes that are no letters after the token': (usual) => `${usual}%c3%28`,
  'a token in quotes': (usual) => usual.replace(/(&refresh_token=)(.*)/, '$1%22$2%22'),
  'a line break after the token': (usual) => `${usual}\n`,
  'another token beside it': (usual) => `${usual}&refresh_token=`,
};

const BAD_FOR: Record<Grant, Record<string, Form>> = {
  client_credentials: BAD_FORMS,
  refresh_token: {
    ...BAD_FORMS,
    ...Object.fromEntries(Object.entries(BAD_TOKENS).map(([what, form]) => [`with ${what}`, form])),
  },
};

describe.each(GRANTS)('a form for %s', (grant) => {
  const send = (form: Form, more: Partial<TokenRequest> = {}) =>
    both.both((beside) => ({
      headers: both.headers(),
      body: form(both.fields(grant), both.app.client_id) + beside,
      ...more,
    }));

  it.each(Object.entries(GOOD_FORMS))('%s is read', async (_how, form) => {
    const { told, alike } = await send(form);
    expect(alike[0]).toEqual(alike[1]);
    expect(told.status).toBe(200);
  });

  it.each(Object.entries(BAD_FOR[grant]))('%s is refused, and uses nothing up', async (_how, form) => {
    const { told, alike } = await send(form);
    expect(alike[0]).toEqual(alike[1]);
    expect(told.status).toBe(400);
    expect((await both.usual(grant)).status).toBe(200);
  });
});

type Make = (grant: Grant, beside: Beside) => TokenRequest;
const typed =
  (type: string | undefined, encode: (body: string) => string | Uint8Array = (body) => body): Make =>
  (grant, beside) => ({ headers: { 'Content-Type': type }, body: encode(both.fields(grant) + beside) });
const withHeader =
  (name: string, value: string): Make =>
  (grant, beside) => ({ headers: { [name]: value }, body: both.fields(grant) + beside });
const inAddress =
  (method: string): Make =>
  (grant, beside) => ({
    method,
    path: `/token?${both.fields(grant)}${beside}`,
    headers: { 'Content-Type': undefined },
  });
const at =
  (path: string): Make =>
  (grant, beside) => ({ path, body: both.fields(grant) + beside });

const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const asMultipart = (body: string) =>
  [...new URLSearchParams(body)]
    .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join('')
    .concat('--b--\r\n');

const GIVEN: Record<string, Make> = {
  'of a type in capitals': typed(FORM.toUpperCase()),
  'of a type with an alphabet': typed(`${FORM}; charset=utf-8`),
  'of a type with an alphabet in quotes': typed(`${FORM};charset="UTF-8"`),
  'of a type with something that nobody knows': typed(`${FORM}; boundary=x`),
  'in an alphabet of western Europe': typed(`${FORM}; charset=iso-8859-1`),
  'of an alphabet that there is not': typed(`${FORM}; charset=nonsense`),
  'of another alphabet than it says': typed(`${FORM}; charset=utf-16le`),
  'that says it is compressed, and is not': withHeader('Content-Encoding', 'gzip'),
  'with a method in a header': withHeader('X-HTTP-Method-Override', 'GET'),
  'with a cookie': withHeader('Cookie', 'gatehouse_session=abc'),
  'with a bare question mark': at('/token?'),
  'with fields in the address too': at('/token?grant_type=password&scope=nothing&client_id=app_other'),
  'from a page of the app': withHeader('Origin', 'https://app.example'),
  'that asks for any answer': withHeader('Accept', '*/*'),
  'that asks for XML': withHeader('Accept', 'application/xml'),
  'that asks for a page': withHeader('Accept', 'text/html'),
};

const NOT_GIVEN: Record<string, Make> = {
  'of no type': typed(undefined),
  'of another type': typed('text/plain'),
  'of a type that begins alike': typed(`${FORM}ed`),
  'of two types': typed(`${FORM}, ${FORM}`),
  'in letters of two bytes': typed(FORM, utf16),
  'in letters of two bytes, and said so': typed(`${FORM}; charset=utf-16le`, utf16),
  'as JSON': typed('application/json', (body) => JSON.stringify(Object.fromEntries(new URLSearchParams(body)))),
  'in parts': typed('multipart/form-data; boundary=b', asMultipart),
  'that is compressed': (grant, beside) => ({
    headers: { 'Content-Encoding': 'gzip' },
    body: gzipSync(both.fields(grant) + beside),
  }),
  'in the address, to be got': inAddress('GET'),
  'in the address, of which the head is asked': inAddress('HEAD'),
  'in the address, to be posted': inAddress('POST'),
  'to be put': (grant, beside) => ({ method: 'PUT', body: both.fields(grant) + beside }),
  'to be changed': (grant, beside) => ({ method: 'PATCH', body: both.fields(grant) + beside }),
  'to be deleted': (grant, beside) => ({ method: 'DELETE', body: both.fields(grant) + beside }),
  'to be got, with a body': (grant, beside) => ({ method: 'GET', body: both.fields(grant) + beside }),
  'that asks what may be done': (grant, beside) => ({ method: 'OPTIONS', body: both.fields(grant) + beside }),
  'below the address': at('/token/more'),
  'at the address percent-encoded': at('/token%2f'),
  'at two slashes': at('//token'),
  'with a proof that is none': withHeader('DPoP', 'a.b.c'),
  'with an attestation that is none': withHeader('OAuth-Client-Attestation', 'a.b.c'),
  'with the proof of an attestation alone': withHeader('OAuth-Client-Attestation-PoP', 'a.b.c'),
};

describe.each(GRANTS)('a request for %s', (grant) => {
  const send = (make: Make) =>
    both.both((beside) => {
      const request = make(grant, beside);
      return { ...request, headers: { ...both.headers(), ...request.headers } };
    });

  it.each(Object.entries(GIVEN))('%s is answered', async (_how, make) => {
    const { told, alike } = await send(make);
    expect(alike[0]).toEqual(alike[1]);
    expect(told.status).toBe(200);
  });

  it.each(Object.entries(NOT_GIVEN))('%s gets nothing, and uses nothing up', async (_how, make) => {
    const { told, alike } = await send(make);
    expect(alike[0]).toEqual(alike[1]);
    expect(told.body).not.toHaveProperty('access_token');
    expect((await both.usual(grant)).status).toBe(200);
  });

  it('from a page of somebody else is answered alike, and its page reads nothing', async () => {
    const { told, alike } = await send(withHeader('Origin', 'https://evil.example'));
    expect(alike[0]).toEqual(alike[1]);
    expect(told.headers.map(([name, value]) => `${name}: ${value}`).join('\n')).not.toContain('evil.example');
  });
});

/** Requests letter by letter, each on a connection of its own unless they are many. */
describe.each(GRANTS)('on the wire a request for %s', (grant) => {
  const head = (lines: string[]) =>
    [
      'POST /token HTTP/1.1',
      `Host: ${new URL(gatehouse.issuer).host}`,
      `Authorization: ${both.headers()['authorization']}`,
      `Content-Type: ${FORM}`,
      ...lines,
      '',
      '',
    ].join('\r\n');
  const CLOSE = 'Connection: close';
  const sized = (body: string, more = 0) => `Content-Length: ${Buffer.byteLength(body) + more}`;

  /** Sends the pieces one after the other, each when the one before has left. @returns all that came until the server hung up. */
  async function exchange(pieces: string[], { end = false } = {}): Promise<string> {
    const socket = connect(Number(new URL(gatehouse.issuer).port), '127.0.0.1').setNoDelay();
    socket.on('error', () => undefined);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    for (const piece of pieces) await left(socket, piece);
    if (end) socket.end();
    await closed;
    return Buffer.concat(chunks).toString();
  }
  const left = async (socket: Socket, piece: string) => {
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    await new Promise((resolve) => setImmediate(resolve));
  };

  /** The first answer in it. */
  function told(text: string): Told {
    const [lines = '', ...rest] = text.split('\r\n\r\n');
    const [first = '', ...headers] = lines.split('\r\n');
    const named = headers.map((line) => /^([^:]+): ?(.*)$/.exec(line)!.slice(1, 3) as [string, string]);
    const body = rest.join('\r\n\r\n');
    const length = Number(named.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? body.length);
    return toldBy(Number(first.split(' ')[1] ?? 0), named, body.slice(0, length));
  }

  /** Both forms of a request. @returns the status of both. */
  async function send(pieces: (body: string) => string[], options?: { end: boolean }): Promise<number> {
    const answers: Told[] = [];
    for (const beside of [USUAL, UNUSUAL]) {
      const answer = told(await exchange(pieces(both.fields(grant) + beside), options));
      both.note(answer);
      answers.push(answer);
    }
    expect(comparable(answers[0]!)).toEqual(comparable(answers[1]!));
    return answers[0]!.status;
  }
  const chunked = (pieces: string[]) =>
    pieces.map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`).concat('0\r\n\r\n');
  const thirds = (body: string) => [body.slice(0, 7), body.slice(7, 20), body.slice(20)];

  const statusesIn = (answers: string) =>
    [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  function noteIn(answers: string): void {
    const refreshed = /"refresh_token":"([^"]+)"/.exec(answers)?.[1];
    expect(refreshed === undefined).toBe(grant === 'client_credentials');
    if (refreshed !== undefined) both.note({ ...toldBy(200, [], ''), body: { refresh_token: refreshed } });
  }

  it('in chunks is answered', async () => {
    const lines = ['Transfer-Encoding: chunked', CLOSE];
    expect(await send((body) => [head(lines), ...chunked(thirds(body))])).toBe(200);
  });

  it('in pieces that come one by one is answered', async () => {
    expect(await send((body) => [head([sized(body), CLOSE]), ...thirds(body)])).toBe(200);
  });

  it('letter by letter is answered', async () => {
    expect(await send((body) => [...(head([sized(body), CLOSE]) + body)])).toBe(200);
  });

  it('that waits to be asked for its body is answered', async () => {
    const answer = await exchange([
      head([sized(both.fields(grant)), 'Expect: 100-continue', CLOSE]),
      both.fields(grant),
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    both.note(told(answer.slice(answer.indexOf('\r\n\r\n') + 4)));
  });

  it('that is shorter than it says gets nothing, and uses nothing up', async () => {
    const status = await send((body) => [head([sized(body, 5), CLOSE]), body], { end: true });
    expect([0, 400]).toContain(status);
    expect((await both.usual(grant)).status).toBe(200);
  });

  it('that is longer than it says is read as far as it says', async () => {
    // The last letter of the grant, or of the token, is missing.
    const status = await send((body) => [head([sized(both.fields(grant), -1), CLOSE]) + body]);
    expect(status).toBe(400);
    expect((await both.usual(grant)).status).toBe(200);
  });

  it('without the body that it announces gets nothing, and uses nothing up', async () => {
    const status = await send((body) => [head([sized(body), CLOSE])], { end: true });
    expect([0, 400]).toContain(status);
    expect((await both.usual(grant)).status).toBe(200);
  });

  it('that says it has no body is refused, and the next one on its connection answered', async () => {
    const answers = await exchange([head([sized('')]), head([sized(both.fields(grant)), CLOSE]) + both.fields(grant)]);
    expect(statusesIn(answers)).toEqual([400, 200]);
    noteIn(answers);
  });

  it('of which chunks are broken gets nothing, and uses nothing up', async () => {
    const status = await send((body) => [head(['Transfer-Encoding: chunked', CLOSE]), `zz\r\n${body}\r\n0\r\n\r\n`]);
    expect([0, 400]).toContain(status);
    expect((await both.usual(grant)).status).toBe(200);
  });

  it('with two headers of credentials is answered alike', async () => {
    const other = `Authorization: Basic ${btoa('app_other:secret')}`;
    expect(await send((body) => [head([other, sized(body), CLOSE]) + body])).toBe(200);
  });

  it('of HTTP/1.0 is answered', async () => {
    expect(await send((body) => [head([sized(body)]).replace('HTTP/1.1', 'HTTP/1.0') + body])).toBe(200);
  });

  it('that is one of many on a connection is answered in its turn', async () => {
    const client = 'grant_type=client_credentials';
    const bodies = [client, `${client}${UNUSUAL}`, both.fields(grant), client, `${client}&scope=%22`, client];
    const requests = bodies.map((body, index) =>
      head([sized(body), ...(index === bodies.length - 1 ? [CLOSE] : [])]).concat(body),
    );
    const answers = await exchange([requests.join('')]);
    expect(statusesIn(answers)).toEqual([200, 200, 200, 200, 400, 200]);
    noteIn(answers);
  });

  it.each([
    ['in the middle of its headers', (request: string) => request.slice(0, 60)],
    ['between the two', (request: string) => request.slice(0, request.indexOf('\r\n\r\n') + 4)],
    ['in the middle of its body', (request: string) => request.slice(0, -5)],
  ])('that ends %s leaves all as it was', async (_where, cut) => {
    for (const beside of [USUAL, UNUSUAL]) {
      const socket = connect(Number(new URL(gatehouse.issuer).port), '127.0.0.1');
      socket.on('error', () => undefined);
      const body = both.fields(grant) + beside;
      await left(socket, cut(head([sized(body)]) + body));
      socket.destroy();
    }
    expect((await both.usual(grant)).status).toBe(200);
    expect(gatehouse.logged.filter((line) => Number(line['level']) >= 50)).toEqual([]);
  });
});
