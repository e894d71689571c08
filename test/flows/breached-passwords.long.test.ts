import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, heading, linkNamed } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';
import { MEASURED } from '../support/timing.ts';

const BREACHED = 'my summer in Norway';
const PADDING_ONLY = 'my winter in Norway';
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase();

describe('a password known from a breach', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let asked: IncomingMessage[] = [];
  let reply: (request: IncomingMessage, response: ServerResponse) => void;
  const range = (_request: IncomingMessage, response: ServerResponse) =>
    void response.end(
      [`${'0'.repeat(35)}:3`, `${sha1(BREACHED).slice(5)}:1742`, `${sha1(PADDING_ONLY).slice(5)}:0`].join('\r\n'),
    );
  const service = createServer((request, response) => {
    asked.push(request);
    reply(request, response);
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const { port } = service.address() as AddressInfo;
    gatehouse = await startGatehouse({ GATEHOUSE_PASSWORDS_BREACH_CHECK_URL: `http://127.0.0.1:${port}/range/` });
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(async () => {
    await gatehouse.stop();
    service.closeAllConnections();
    service.close();
  });
  beforeEach(() => {
    asked = [];
    reply = range;
  });

  let people = 0;
  async function signUp(password: string): Promise<Page> {
    const browser = new Browser(gatehouse.issuer);
    const page = await browser.open(linkNamed(await begin(rp, browser), 'Create an account'));
    people += 1;
    return browser.submit(page, { name: 'Ada', email: `person${people}@example.com`, password });
  }
  const warnings = () => gatehouse.logged.filter(({ msg }) => String(msg).includes('could not be looked up')).length;

  it('is refused at sign-up with a clear message', async () => {
    const page = await signUp(BREACHED);
    expect(page.status).toBe(400);
    expect(page.text).toContain('That password is known from a data breach elsewhere');
  });

  it('is refused where an admin sets it', async () => {
    const { sub } = await gatehouse.person();
    await expect(gatehouse.access.setPassword(sub, BREACHED)).rejects.toThrow('known from a data breach');
    await expect(gatehouse.person({ password: BREACHED })).rejects.toThrow('known from a data breach');
  });

  it('is asked for by the first five characters of its hash alone, and the length of the answer tells nothing', async () => {
    await signUp(BREACHED);
    expect(asked.map(({ url }) => url)).toEqual([`/range/${sha1(BREACHED).slice(0, 5)}`]);
    expect(asked[0]!.headers['add-padding']).toBe('true');
  });

  it('is not one that stands in the answer as padding', async () => {
    expect(heading(await signUp(PADDING_ONLY))).toBe('Acme Notes wants access');
  });

  it('is not looked for when the password is refused anyway', async () => {
    await signUp('short');
    expect(asked).toEqual([]);
  });

  it.each<[string, typeof reply]>([
    ['is broken', (_request, response) => void response.writeHead(500).end()],
    ['hangs up', (request) => request.socket.destroy()],
    ['never answers', () => undefined],
    ['stops in the middle', (_request, response) => void response.write(`${'0'.repeat(35)}:3\r\n`)],
    ['answers with a page', (_request, response) => void response.end('<h1>Welcome</h1>')],
    ['leads elsewhere', (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end()],
    ['never stops', (_request, response) => void response.end(`${'0'.repeat(35)}:3\r\n`.repeat(60_000))],
  ])(
    'cannot be told when the look-up %s: the password is accepted within seconds, with a log line',
    MEASURED,
    async (_how, bad) => {
      reply = bad;
      const before = warnings();
      const started = performance.now();
      expect(heading(await signUp(BREACHED))).toBe('Acme Notes wants access');
      expect(performance.now() - started).toBeLessThan(5000);
      expect(warnings()).toBe(before + 1);
      expect(JSON.stringify(gatehouse.logged)).not.toContain(sha1(BREACHED).slice(0, 5));
    },
  );
});
