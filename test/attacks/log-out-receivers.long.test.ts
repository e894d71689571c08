/** Apps whose log-out address is dead, slow, endless, redirecting, private or refusing hold up nobody, and reach nothing through us. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, heading, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { signInTo, startParty, toldTimes } from '../support/log-out-receiver.ts';
import type { Party } from '../support/log-out-receiver.ts';
import { freePort } from '../support/ports.ts';

const DAY = 86_400;

async function problemsOf(gatehouse: Running): Promise<(string | null)[]> {
  const { items } = await gatehouse.storage.logout.list('waiting', { limit: 500 });
  return items.map(({ problem }) => problem);
}

describe('an app that is told of a log-out', () => {
  let gatehouse: Running;
  let bad: Party;
  let good: Party;
  let person: Person;
  let browser: Browser;
  /** A server inside the network, which nobody may make us reach. */
  let inside: Server & { asked?: number };

  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
  });
  beforeEach(async () => {
    [bad, good] = await Promise.all([startParty(gatehouse, 'Bad'), startParty(gatehouse, 'Good')]);
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
    inside = createServer((_req, res) => {
      inside.asked = (inside.asked ?? 0) + 1;
      res.end('secret');
    });
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    backToNow();
    inside.closeAllConnections();
    await Promise.all([bad.stop(), good.stop(), new Promise((resolve) => inside.close(resolve))]);
    // What is left would be tried again during the next test.
    for (const { id } of (await gatehouse.storage.logout.list('waiting', { limit: 500 })).items)
      await gatehouse.storage.logout.remove(id);
  });
  afterAll(() => gatehouse.stop());

  async function logOut(): Promise<string> {
    await signInTo(bad, person, browser);
    await signInTo(good, person, browser);
    const page = await browser.submit(await browser.open('/session/end'), { logout: 'yes' });
    expect(heading(page)).toBe('You are signed out');
    await toldTimes(good, 1);
    return page.url.pathname;
  }
  const problem = (expected: string | RegExp) =>
    eventually(async () => expect(await problemsOf(gatehouse)).toEqual([expect.stringMatching(expected)]));

  it.each([400, 401, 404, 429, 500, 503])('and answers %i is told again, with a token of its own', async (status) => {
    bad.status(status);
    await logOut();
    await problem(`answered ${status}`);
    bad.status(200);
    passTime(60);
    await toldTimes(bad, 2);
    const [first, second] = bad.claims();
    expect(second!.jti).not.toBe(first!.jti);
    expect([second!.sub, second!['sid']]).toEqual([first!.sub, first!['sid']]);
    await eventually(async () => expect(await problemsOf(gatehouse)).toEqual([]));
  });

  it.each([501, 410])('and answers %i is told no more', async (status) => {
    bad.status(status);
    const path = await logOut();
    await eventually(async () =>
      expect((await gatehouse.storage.logout.list('given_up', { limit: 500 })).items).toContainEqual(
        expect.objectContaining({ client_id: bad.app.client_id, problem: `answered ${status}` }),
      ),
    );
    expect((await browser.open(`${path}?again=1`)).text).toContain('Not reached');
    const warning = gatehouse.logged.findLast(({ msg }) => String(msg).includes('could not be told'))!;
    expect(warning).toMatchObject({ client_id: bad.app.client_id, reason: `answered ${status}` });
    expect(JSON.stringify(warning)).not.toContain(person.sub);
    expect(JSON.stringify(gatehouse.logged)).not.toContain(bad.tokens[0]);
  });

  it('and redirects leads us nowhere', async () => {
    const { port } = inside.address() as AddressInfo;
    bad.answer((res) => void res.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end());
    await logOut();
    await problem('answered 307, and redirects are not followed');
    expect(inside.asked).toBeUndefined();
  });

  it('and answers without end is read no further than its status', async () => {
    let sent = 0;
    bad.answer((res) => {
      res.writeHead(200);
      const pour = () => {
        while (!res.destroyed && sent < 5e8 && res.write(Buffer.alloc(65_536)));
      };
      res.on('drain', pour);
      const count = setInterval(() => (sent = res.socket?.bytesWritten ?? sent), 5);
      res.on('close', () => clearInterval(count));
      pour();
    });
    await logOut();
    await eventually(async () => expect(await problemsOf(gatehouse)).toEqual([]));
    expect(sent).toBeLessThan(5e7);
  });

  it('and answers nothing is left after some seconds, and sent the same token later', async () => {
    bad.answer(() => undefined);
    await logOut();
    await problem('no answer within 5 seconds');
    bad.status(200);
    passTime(120);
    await toldTimes(bad, 2);
    const [first, second] = bad.claims();
    expect(second!.jti).toBe(first!.jti);
  });

  it('and sends its headers drop by drop is left as well', async () => {
    bad.answer((res) => {
      res.socket?.write('HTTP/1.1 200 OK\r\nX-Slow: ');
      const drops = setInterval(() => res.socket?.write('x'), 200);
      res.socket?.on('close', () => clearInterval(drops));
    });
    await logOut();
    await problem(/no answer within 5 seconds|not reached/);
  });

  it('and is dead for more than a day is given up', async () => {
    await bad.stop();
    await logOut();
    await problem(/ECONNREFUSED/);
    passTime(DAY + 60);
    await eventually(async () =>
      expect((await gatehouse.storage.logout.list('given_up', { limit: 500 })).items).toContainEqual(
        expect.objectContaining({ client_id: bad.app.client_id, problem: 'not reached (ECONNREFUSED)' }),
      ),
    );
  });

  it('and is gone by then is told nothing', async () => {
    bad.status(500);
    await logOut();
    await problem('answered 500');
    await gatehouse.clients.delete(bad.app.client_id);
    passTime(60);
    await eventually(async () => expect(await problemsOf(gatehouse)).toEqual([]));
    expect(bad.tokens).toHaveLength(1);
  });

  it('with fifty people to sign out and no answer for any holds up nobody else', async () => {
    bad.answer(() => undefined);
    const { apps, endings } = gatehouse.logOuts;
    const sessions = Array.from({ length: 50 }, (_, index) => `session-${index}`);
    for (const session_uid of sessions) {
      const app = { client_id: bad.app.client_id, account_id: person.sub, sid: session_uid, offline: false };
      await apps.note({ ...app, session_uid });
    }
    await Promise.all(sessions.map((sessionUid) => endings.session({ sessionUid, cause: 'session_ended' })));
    await signInTo(good, person, browser);
    await gatehouse.access.suspend(person.sub);
    await toldTimes(good, 1);
    expect(bad.tokens.length).toBeLessThan(25);
  });
});

describe('in production, where apps are not reached in private networks', () => {
  it.each([
    ['a private address', 'https://10.0.0.1/logout'],
    ['a link-local address', 'https://169.254.169.254/latest'],
    ['an address of this machine', 'https://[::ffff:7f00:1]:PORT/logout'],
    ['a name that leads to this machine', 'http://localhost:PORT/logout'],
  ])('%s is not reached', async (_what, pattern) => {
    const port = await freePort();
    let asked = 0;
    const server = createServer(() => (asked += 1));
    server.on('connection', () => (asked += 1));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'false' });
    try {
      const party = await startParty(gatehouse, 'Inside', {
        backchannel_logout_uri: pattern.replace('PORT', String(port)),
      });
      const person = await gatehouse.person();
      await signInTo(party, person, new Browser(gatehouse.issuer));
      await gatehouse.access.suspend(person.sub);
      await eventually(async () =>
        expect(await problemsOf(gatehouse)).toEqual([
          expect.stringMatching(/is not a public address|only https is fetched/),
        ]),
      );
      expect(asked).toBe(0);
      await party.stop();
    } finally {
      await gatehouse.stop();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
