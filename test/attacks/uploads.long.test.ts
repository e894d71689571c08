/** Files that are sent to pages: forged, cut off, endless, and made to confuse whoever takes them apart. */
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from '../support/browser.ts';
import { anAdmin, sendFile } from '../support/console.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { fieldValue } from '../support/journey.ts';

const IMPORT = '/admin/people/import';
const BOUNDARY = 'gatehouse-boundary';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const MIB = 1024 * 1024;

let gatehouse: Running;
let browser: Browser;
let _csrf: string;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
  ({ browser } = await anAdmin(gatehouse));
  _csrf = fieldValue(await browser.open(IMPORT), '_csrf');
});
afterAll(() => gatehouse.stop());

const person = (id: string) => `{"email":"${id}@upload.example"}\n`;
const there = async (id: string) => (await gatehouse.accounts.findByEmail(`${id}@upload.example`)) !== undefined;

const part = (name: string, value: string, more = '') =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
const filePart = (content: string, name = 'people.jsonl') => part('file', content, `; filename="${name}"`);
/** Where the content of a file begins. */
const FILE_HEAD = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n`;
const END = `--${BOUNDARY}--\r\n`;

interface Answer {
  status: number;
  location: string;
}

interface Sending {
  type?: string;
  headers?: Record<string, string>;
}

/** Sends a body as it is, in pieces, and waits for an answer, which has to come however the body ends. */
async function post(body: Iterable<string | Buffer> | AsyncIterable<Buffer>, sending: Sending = {}): Promise<Answer> {
  const { type = TYPE, headers = {} } = sending;
  const { hostname, port } = new URL(gatehouse.issuer);
  const cookie = await browser.jar.getCookieString(gatehouse.issuer + IMPORT);
  const options = {
    hostname,
    port,
    path: IMPORT,
    method: 'POST',
    headers: { 'content-type': type, cookie, ...headers },
  };
  const req = request(options);
  const answered = new Promise<IncomingMessage>((resolve, reject) => req.on('response', resolve).on('error', reject));
  const sent = pipeline(Readable.from(body), req).catch(() => undefined);
  const answer = await answered;
  answer.resume();
  await Promise.all([sent, new Promise((resolve) => answer.on('close', resolve))]);
  return { status: answer.statusCode!, location: answer.headers.location ?? '' };
}

describe('a file', () => {
  it.each([
    ['brings no token', () => part('what', 'import') + filePart(person('forged')) + END],
    [
      'brings its token too late',
      () => part('what', 'import') + filePart(person('forged')) + part('_csrf', _csrf) + END,
    ],
    [
      'brings a strange token',
      () => part('_csrf', 'x'.repeat(43)) + part('what', 'import') + filePart(person('forged')),
    ],
    ['brings two tokens', () => part('_csrf', _csrf) + part('_csrf', 'x') + filePart(person('forged')) + END],
    ['brings its token as a file', () => part('_csrf', _csrf, '; filename="x"') + filePart(person('forged')) + END],
  ])('that %s is refused', async (_how, body) => {
    expect((await post([body()])).status).toBe(403);
    expect(await there('forged')).toBe(false);
  });

  it.each(['cross-site', 'same-site'])('that comes from a page that is %s is refused', async (site) => {
    const body = part('_csrf', _csrf) + part('what', 'import') + filePart(person('foreign')) + END;
    expect((await post([body], { headers: { 'sec-fetch-site': site } })).status).toBe(403);
    expect(await there('foreign')).toBe(false);
  });

  it('is done with what stands before it, whatever comes after', async () => {
    const later =
      part('_csrf', _csrf) + part('what', 'check') + filePart(person('checked')) + part('what', 'import') + END;
    expect((await post([later])).status).toBe(303);
    const twice =
      part('_csrf', _csrf) + part('what', 'import') + part('what', 'import') + filePart(person('checked')) + END;
    expect((await post([twice])).status).toBe(303);
    expect(await there('checked')).toBe(false);
    const two = part('_csrf', _csrf) + part('what', 'import') + filePart(person('one')) + filePart(person('two')) + END;
    expect((await post([two])).status).toBe(303);
    expect([await there('one'), await there('two')]).toEqual([true, false]);
  });

  it('of another kind is none', async () => {
    for (const type of ['application/json', 'text/csv', 'multipart/mixed; boundary=x', ''])
      expect([type, (await post([person('kind')], { type })).status]).toEqual([type, 403]);
    expect(await there('kind')).toBe(false);
  });

  it('in parts that nobody can take apart is refused, not failed at', async () => {
    const whole = part('_csrf', _csrf) + filePart(person('boundary')) + END;
    for (const type of [
      'multipart/form-data; boundary=',
      'multipart/form-data; boundary=""',
      'multipart/form-data; charset=utf-8',
      `multipart/form-data; boundary=${'b'.repeat(300)}`,
      'multipart/form-data; boundary=other',
      'multipart/form-data; boundary=-',
      `multipart/form-data; boundary*=utf-8''%ff%fe`,
      'multipart/form-data;',
    ]) {
      const { status } = await post([whole], { type });
      expect([type, status >= 400 && status < 500]).toEqual([type, true]);
    }
    for (const body of [
      '',
      '\r\n',
      END,
      `--${BOUNDARY}`,
      `--${BOUNDARY}\r\n`,
      `--${BOUNDARY}\r\n\r\n\r\n`.repeat(10),
      whole.slice(0, 60),
    ]) {
      const { status } = await post([body]);
      expect([body, status >= 400 && status < 500]).toEqual([body, true]);
    }
    expect(await there('boundary')).toBe(false);
  });

  it('among a thousand parts, or behind a field without end, is not looked for', async () => {
    const parts = Array.from({ length: 1000 }, (_, n) => part(`field${n}`, 'x')).join('');
    const file = filePart(person('behind')) + END;
    for (const body of [
      part('_csrf', _csrf) + parts + file,
      part('_csrf', _csrf) + part('what', 'x'.repeat(100_000)) + file,
      part('_csrf', _csrf) + part('x'.repeat(100_000), 'x') + file,
      `${'p'.repeat(2 * MIB)}\r\n${part('_csrf', _csrf)}${file}`,
    ]) {
      // In pieces, as a network brings it.
      const pieces = body.match(/[^]{1,16384}/g)!;
      const { status } = await post(pieces);
      expect([body.slice(0, 20), status >= 400 && status < 500]).toEqual([body.slice(0, 20), true]);
    }
    expect(await there('behind')).toBe(false);
  });

  it('that is refused holds up neither its connection nor who sends it', async () => {
    const { hostname, port, host } = new URL(gatehouse.issuer);
    const cookie = await browser.jar.getCookieString(gatehouse.issuer + IMPORT);
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => (received += text));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    const send = async (body: Iterable<string>, more: string) => {
      socket.write(
        `POST ${IMPORT} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nContent-Type: ${TYPE}\r\n${more}Transfer-Encoding: chunked\r\n\r\n`,
      );
      for (const piece of body)
        if (!socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`)) await once(socket, 'drain');
      socket.write('0\r\n\r\n');
    };
    const endless = function* () {
      yield part('what', 'import') + FILE_HEAD;
      for (let n = 0; n < 512; n += 1) yield 'x'.repeat(64 * 1024);
      yield `\r\n${END}`;
    };
    await send(endless(), '');
    const good = part('_csrf', _csrf) + part('what', 'import') + filePart(person('after')) + END;
    await send([good], 'Connection: close\r\n');
    await closed;
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 403', 'HTTP/1.1 303']);
    expect(await there('after')).toBe(true);
  });

  it('that ends in its middle keeps what came before, and says so', async () => {
    const body = async function* () {
      yield Buffer.from(part('_csrf', _csrf) + part('what', 'import') + FILE_HEAD);
      for (let n = 0; n < 250; n += 1) yield Buffer.from(person(`cut${n}`));
      while (!(await there('cut199'))) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const { status, location } = await post(body());
    expect(status).toBe(303);
    const page = await browser.open(location);
    expect([page.text.includes('the file was cut off'), page.text.includes('Ended early')]).toEqual([true, true]);
    expect([page.text.includes('Go on after line 200'), await there('cut249')]).toEqual([true, false]);
  });

  it("that is not in UTF-8 spoils nobody's name", async () => {
    const latin = Buffer.from(
      `${JSON.stringify({ email: 'latin@upload.example', name: 'M\u00fcller' })}\n${person('ascii')}`,
      'latin1',
    );
    const page = await sendFile(browser, { content: new Uint8Array(latin) });
    expect([page.text.includes('is not in UTF-8'), await there('latin'), await there('ascii')]).toEqual([
      true,
      false,
      true,
    ]);
    const csv = Buffer.from('email,name\nlatin@upload.example,M\u00fcller\n', 'latin1');
    expect((await sendFile(browser, { name: 'a.csv', content: new Uint8Array(csv) })).text).toContain(
      'is not in UTF-8',
    );
  });

  it('with names as long as lines may be makes no page as long', async () => {
    const long = `{"${'k'.repeat(900_000)}":1,"email":"x@upload.example"}\n`;
    const { text, status } = await sendFile(browser, { content: long.repeat(3), name: `${'n'.repeat(3000)}.jsonl` });
    expect([status, text.length < 20_000]).toEqual([200, true]);
    expect(
      (await sendFile(browser, { content: '{"__proto__":{"roles":["admin"]},"email":"p@upload.example"}' })).status,
    ).toBe(200);
    expect(Object.hasOwn(Object.prototype, 'roles')).toBe(false);
  });

  it('of a hundred megabytes takes no more memory than a small one', { timeout: 120_000 }, async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = () => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const before = used();
    let most = 0;
    const line = Buffer.from(`${'x'.repeat(16 * 1024 - 1)}\n`);
    const huge = async function* () {
      yield Buffer.from(part('_csrf', _csrf) + part('what', 'import') + FILE_HEAD);
      for (let n = 0; n < 6400; n += 1) {
        yield line;
        if (n % 1600 === 1599) most = Math.max(most, used() - before);
      }
      yield Buffer.from(`\r\n${END}`);
    };
    const { location } = await post(huge());
    const page = await browser.open(location);
    expect([page.text.includes('6,400'), most < 32 * MIB]).toEqual([true, true]);
  });
});
