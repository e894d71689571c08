/** How a request reaches its person, and its answer the app: by mail, by ping, over several processes. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSealedRecords } from '../../src/protocol/sealed-records.ts';
import { Browser } from '../support/browser.ts';
import {
  allow,
  answerAs,
  ask,
  CIBA_ON,
  cibaApp,
  deny,
  openRequest,
  pingedApp,
  startPingReceiver,
} from '../support/ciba.ts';
import type { PingReceiver } from '../support/ciba.ts';
import { eventually } from '../support/eventually.ts';
import { startInstances } from '../support/instances.ts';
import type { Instances } from '../support/instances.ts';
import { alertText, asTimePasses, backToNow, enterPassword, heading } from '../support/journey.ts';
import type { App } from '../support/journey.ts';
import { startWithMail } from '../support/mailed.ts';
import type { WithMail } from '../support/mailed.ts';

const NOTICE = { client_notification_token: 'a-token.of~the_app' };

describe('a request that is mailed', () => {
  let world: WithMail;
  let app: App;
  beforeAll(async () => {
    world = await startWithMail(CIBA_ON);
    app = await cibaApp(world.gatehouse, { name: 'Call Centre' });
  });
  afterAll(() => world.stop());

  it('leads its person to their page by a link that opens nothing to anybody else', async () => {
    const { gatehouse, mail } = world;
    const [person, other] = [await gatehouse.person(), await gatehouse.person()];
    const asked = await ask(gatehouse, app, person, { binding_message: 'Order 7331' });
    const letter = await mail.waitFor(person.email);
    expect(letter.subject).toBe('Call Centre asks for you');
    const link = /http\S+\/account\/requests\/[\w-]+/.exec(letter.text)![0];
    // What the app wants to say is on the page alone: the mail is ours.
    expect(letter.text).not.toContain('Order 7331');

    const stranger = new Browser(gatehouse.issuer);
    const wrong = await enterPassword(stranger, await stranger.open(link), other);
    expect([wrong.status, alertText(wrong)]).toEqual([404, expect.stringContaining('somebody else')]);
    expect(wrong.text).not.toContain('Order 7331');

    const browser = new Browser(gatehouse.issuer);
    const signIn = await browser.open(link);
    expect(signIn.html.querySelector('input[name=password]')).not.toBeNull();
    const page = await enterPassword(browser, signIn, person);
    expect([heading(page), page.text.includes('Order 7331')]).toEqual(['Call Centre asks for you', true]);
    await allow(browser, page);
    expect((await asked.poll()).claims()?.sub).toBe(person.sub);
  });

  it('is not mailed to an address that is not proved to be theirs', async () => {
    const { gatehouse, mail } = world;
    const [unproved, proved] = [await gatehouse.person({ email_verified: false }), await gatehouse.person()];
    await ask(gatehouse, app, unproved, { login_hint: unproved.sub });
    await ask(gatehouse, app, proved);
    await mail.waitFor(proved.email);
    expect(mail.mails.filter(({ to }) => to.includes(unproved.email))).toEqual([]);
  });
});

describe('an app that is told, with two processes', () => {
  let instances: Instances;
  let receiver: PingReceiver;
  let app: App;
  beforeAll(async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    instances = await startInstances({ ...CIBA_ON, GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await instances.stop();
  });
  beforeEach(async () => {
    receiver = await startPingReceiver();
    app = await pingedApp(instances.all[0], receiver);
  });
  afterEach(async () => {
    backToNow();
    await receiver.stop();
  });
  const begun = async () => {
    const [first] = instances.all;
    const person = await first.person();
    return { person, asked: await ask(first, app, person, NOTICE) };
  };

  /** At any process, at any time. */
  const nothingLeftToTell = () =>
    eventually(async () => {
      const [{ storage, vaultFor }] = instances.all;
      const records = createSealedRecords({ store: storage.protocol, vault: vaultFor('records') });
      expect(await records.listByAccount('Ping', 'pings')).toEqual([]);
    });

  it('hears once that its person allowed it, and then gets its tokens', async () => {
    const { person, asked } = await begun();
    await answerAs(instances.all[0], person);
    await eventually(() => expect(receiver.pings).toHaveLength(1));
    expect(receiver.pings[0]).toEqual({
      auth_req_id: asked.request.auth_req_id,
      authorization: `Bearer ${NOTICE.client_notification_token}`,
    });
    expect((await asked.poll()).claims()?.sub).toBe(person.sub);
    await nothingLeftToTell();
    expect(receiver.pings).toHaveLength(1);
  });

  it('hears that its person denied it', async () => {
    const { person, asked } = await begun();
    await answerAs(instances.all[0], person, deny);
    await eventually(() => expect(receiver.pings).toHaveLength(1));
    await expect(asked.poll()).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('is told again while it is away, by whichever process is there', async () => {
    receiver.status(503);
    const { person, asked } = await begun();
    await answerAs(instances.all[0], person);
    await eventually(() => expect(receiver.pings).toHaveLength(1));
    receiver.status(204);
    await asTimePasses(31, () => expect(receiver.pings.length).toBeGreaterThanOrEqual(2));
    expect(new Set(receiver.pings.map(({ auth_req_id }) => auth_req_id))).toEqual(new Set([asked.request.auth_req_id]));
  });

  it('is told no more where it refuses, or sends us elsewhere', async () => {
    const elsewhere = await startPingReceiver();
    receiver.status(307, { location: elsewhere.url });
    const { person } = await begun();
    await answerAs(instances.all[0], person);
    await eventually(() => expect(receiver.pings).toHaveLength(1));
    await nothingLeftToTell();
    expect([receiver.pings.length, elsewhere.pings.length]).toEqual([1, 0]);
    await elsewhere.stop();
  });

  it('must bring a token to be told with', async () => {
    const [first] = instances.all;
    await expect(ask(first, app, await first.person())).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('finds the answer at any process', async () => {
    const [first, second] = instances.all;
    const person = await first.person();
    const polled = await cibaApp(first);
    const asked = await ask(first, polled, person);
    const browser = new Browser(first.issuer);
    await allow(browser, await openRequest(browser, person));
    const answer = await fetch(`${second.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:openid:params:grant-type:ciba',
        auth_req_id: asked.request.auth_req_id,
      }),
      headers: {
        authorization: `Basic ${Buffer.from(`${polled.client_id}:${polled.client_secret}`).toString('base64')}`,
      },
    });
    expect(answer.status).toBe(200);
  });
});
