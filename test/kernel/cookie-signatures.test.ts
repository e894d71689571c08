import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import { createCookieSignatures } from '../../src/kernel/cookie-signatures.ts';

const text = fc.string({ unit: 'binary', maxLength: 1500 });
const keys = fc.array(fc.string({ minLength: 1, maxLength: 100 }), { minLength: 1, maxLength: 4 });

describe('signatures of cookies', () => {
  it('are of HMAC-SHA256 by the first key', () => {
    fc.assert(
      fc.property(keys, text, (all, data) => {
        const expected = createHmac('sha256', all[0]!).update(data).digest('base64url');
        expect(createCookieSignatures(all).sign(data)).toBe(expected);
      }),
    );
  });

  it('are verified by every key, and by no other', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.uuid(), { minLength: 2, maxLength: 5 }), text, text, (all, data, other) => {
        const [stranger, ...own] = all as [string, ...string[]];
        const signatures = createCookieSignatures(own);
        for (const [index, key] of own.entries()) {
          const signature = createCookieSignatures([key]).sign(data);
          expect(signatures.index(data, signature)).toBe(index);
          expect(signatures.verify(data, signature)).toBe(true);
          if (other !== data) expect(signatures.verify(other, signature)).toBe(false);
        }
        expect(signatures.verify(data, createCookieSignatures([stranger]).sign(data))).toBe(false);
        expect(signatures.verify(data, other)).toBe(false);
      }),
    );
  });
});

describe('a signed cookie', () => {
  const server = createServer();
  afterEach(() => void server.close());

  /** @returns what the app reads of `cookie`, and the cookies it sets. */
  async function read(all: string[], cookie: string) {
    const app = new Koa();
    app.keys = createCookieSignatures(all);
    app.use((ctx) => {
      if (cookie === '') ctx.cookies.set('who', 'ada', { signed: true });
      else ctx.body = ctx.cookies.get('who', { signed: true }) ?? 'nobody';
    });
    const handle = app.callback();
    server.removeAllListeners('request').on('request', (req, res) => void handle(req, res));
    if (!server.listening) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie } });
    return { value: await answer.text(), set: answer.headers.getSetCookie().map((one) => one.split(';')[0]!) };
  }

  it('is believed while its key is among them, and then signed by the first', async () => {
    const { set } = await read(['old'], '');
    const cookie = set.join('; ');
    expect((await read(['old'], cookie)).value).toBe('ada');
    const renewed = await read(['new', 'old'], cookie);
    expect(renewed.value).toBe('ada');
    expect(renewed.set).toEqual([`who.sig=${createCookieSignatures(['new']).sign('who=ada')}`]);
    expect((await read(['new'], cookie)).value).toBe('nobody');
    expect((await read(['old'], cookie.replace('ada', 'eve'))).value).toBe('nobody');
  });
});
