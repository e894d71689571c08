/** Apps that ask people for too much, and people who answer what is not theirs (OpenID Connect CIBA Core 1.0, sections 8 and 15). */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CIBA } from '../../src/clients/protocol.ts';
import { Browser } from '../support/browser.ts';
import { allow, answerAs, ask, CIBA_ON, cibaApp, openRequest, pingedApp, startPingReceiver } from '../support/ciba.ts';
import { answer, as, basic } from '../support/endpoints.ts';
import { eventually } from '../support/eventually.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, backToNow, passTime } from '../support/journey.ts';
import type { App } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { startWithMail } from '../support/mailed.ts';
import { openAccount } from '../support/portal.ts';

describe('backchannel authentication requests', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let app: App;
  beforeAll(async () => {
    ({ gatehouse, mail, stop } = await startWithMail(CIBA_ON));
    app = await cibaApp(gatehouse);
  });
  afterAll(() => stop());
  afterEach(() => {
    backToNow();
    vi.unstubAllEnvs();
  });

  const send = async (fields: Record<string, string>, by = app) =>
    answer(
      await fetch(`${gatehouse.issuer}/backchannel`, {
        method: 'POST',
        body: new URLSearchParams({ scope: 'openid', ...fields }),
        headers: basic(by.client_id, by.client_secret!),
      }),
    );

  it('are no way to bomb a mailbox: one app gets ten through an hour, all apps together twenty', async () => {
    const person = await gatehouse.person();
    const apps = [app, await cibaApp(gatehouse), await cibaApp(gatehouse)];
    const answers = await Promise.all(
      apps.map((one) => atOnce(12, () => send({ login_hint: person.email.toUpperCase() }, one))),
    );
    const counts = answers.map((all) => all.filter(({ status }) => status === 200).length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(10);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
    const refused = answers.flat().find(({ status }) => status !== 200)!;
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, expect.any(String)]);
    expect(mail.mails.filter(({ to }) => to.includes(person.email)).length).toBeLessThanOrEqual(20);
  });

  it('are no way to find out who has an account: hints that name nobody are counted', async () => {
    const curious = await cibaApp(gatehouse);
    const answers = await atOnce(25, (index) => send({ login_hint: `guess${index}@example.com` }, curious));
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(5);
    const { email } = await gatehouse.person();
    expect((await send({ login_hint: email }, curious)).status).toBe(429);
    expect((await send({ login_hint: email })).status).toBe(200);
  });

  it('reach nobody by an address that is not proved: who signed up with it does not answer for its owner', async () => {
    const { email, sub } = await gatehouse.person({ email_verified: false });
    const [unproved, unknown] = [await send({ login_hint: email }), await send({ login_hint: `other.${email}` })];
    expect([unproved.status, unproved.body]).toEqual([unknown.status, unknown.body]);
    expect(unproved.body['error']).toBe('unknown_user_id');
    await gatehouse.accounts.markEmailVerified(sub, email);
    expect((await send({ login_hint: email })).status).toBe(200);
  });

  it('are seen and answered by nobody but their person', async () => {
    const [person, thief] = [await gatehouse.person(), await gatehouse.person()];
    const asked = await ask(gatehouse, app, person);
    const own = new Browser(gatehouse.issuer);
    const page = await openRequest(own, person);
    const browser = new Browser(gatehouse.issuer);
    const at = await openAccount(browser, thief, '/profile');
    const _csrf = at.html.querySelector('input[name=_csrf]')!.getAttribute('value')!;
    for (const act of ['approve', 'deny']) {
      const tried = await browser.open(`${page.url.pathname}/${act}`, {
        method: 'POST',
        body: new URLSearchParams({ _csrf }),
        headers: { origin: gatehouse.issuer },
      });
      expect(tried.status).toBe(404);
    }
    await allow(own, page);
    expect((await asked.poll()).claims()?.sub).toBe(person.sub);
  });

  it('are answered by a form of ours alone', async () => {
    const person = await gatehouse.person();
    const asked = await ask(gatehouse, app, person);
    const browser = new Browser(gatehouse.issuer);
    const page = await openRequest(browser, person);
    const forged = await browser.open(`${page.url.pathname}/approve`, { method: 'POST', body: new URLSearchParams() });
    expect(forged.status).toBe(403);
    await expect(asked.poll()).rejects.toMatchObject({ error: 'authorization_pending' });
  });

  it('give nothing to another app that learns of one', async () => {
    const person = await gatehouse.person();
    const asked = await ask(gatehouse, app, person);
    const browser = new Browser(gatehouse.issuer);
    await allow(browser, await openRequest(browser, person));
    const thief = await cibaApp(gatehouse);
    const stolen = await as(gatehouse, thief).token({ grant_type: CIBA, auth_req_id: asked.request.auth_req_id });
    expect([stolen.status, stolen.body['error']]).toEqual([400, 'invalid_grant']);
    expect((await asked.poll()).claims()?.sub).toBe(person.sub);
    const again = await as(gatehouse, app).token({ grant_type: CIBA, auth_req_id: asked.request.auth_req_id });
    expect(again.body['error']).toBe('invalid_grant');
  });

  it('say nothing that a page could take for its own: markup is text, hidden and turned text is refused', async () => {
    const person = await gatehouse.person();
    await ask(gatehouse, app, person, { binding_message: '<img src=x onerror=alert(1)>' });
    const page = await openRequest(new Browser(gatehouse.issuer), person);
    expect(page.text).toContain('&lt;img src=x onerror=alert(1)&gt;');
    for (const binding_message of [
      'a\u202Egnp',
      'two\nlines',
      'x'.repeat(65),
      'zero\u200Bwidth',
      '   ',
      '\u3164\u2800',
      `pile${'\u0301'.repeat(40)}`,
    ])
      expect((await send({ login_hint: person.email, binding_message })).body['error']).toMatch(
        /^invalid_(binding_message|request)$/,
      );
  });

  it('end with the account that they ask', async () => {
    const person = await gatehouse.person();
    const asked = await ask(gatehouse, app, person);
    const browser = new Browser(gatehouse.issuer);
    await allow(browser, await openRequest(browser, person));
    await gatehouse.access.suspend(person.sub);
    await expect(asked.poll()).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(ask(gatehouse, app, person)).rejects.toMatchObject({ error: 'unknown_user_id' });
  });

  it('are not asked about faster than allowed, and each time the wait grows (section 11)', async () => {
    const person = await gatehouse.person();
    const asked = await ask(gatehouse, app, person);
    const poll = () =>
      asked.poll().then(
        () => 'tokens',
        ({ error }: { error: string }) => error,
      );
    expect(await poll()).toBe('authorization_pending');
    expect(await poll()).toBe('slow_down');
    passTime(6);
    expect(await poll()).toBe('slow_down');
    passTime(14);
    expect(await poll()).toBe('slow_down');
    passTime(21);
    expect(await poll()).toBe('authorization_pending');
    expect(await Promise.all(Array.from({ length: 5 }, poll))).toEqual(Array(5).fill('slow_down'));
  });

  it('lead to no ping inside our network', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const inside = await startPingReceiver();
    for (const url of [
      inside.url,
      inside.url.replace('localhost', '127.0.0.1'),
      inside.url.replace('localhost', '[::1]'),
    ]) {
      const person = await gatehouse.person();
      const pinged = await pingedApp(gatehouse, { url });
      const asked = await ask(gatehouse, pinged, person, { client_notification_token: 'token' });
      await answerAs(gatehouse, person);
      expect((await asked.poll()).claims()?.sub).toBe(person.sub);
    }
    const told = () => gatehouse.logged.filter(({ msg }) => String(msg).startsWith('an app could not be told'));
    await eventually(() => expect(told().length).toBeGreaterThanOrEqual(1));
    expect(inside.pings).toEqual([]);
    expect(JSON.stringify(gatehouse.logged)).not.toContain('"token"');
    await inside.stop();
  });

  it('come from no client without a secret or a key, nor from an unknown one', async () => {
    const anybody = await fetch(`${gatehouse.issuer}/backchannel`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: app.client_id, scope: 'openid', login_hint: 'ada@example.com' }),
    });
    expect(anybody.status).toBe(401);
    const wrong = { ...app, client_secret: 'guess' };
    expect((await send({ login_hint: 'ada@example.com' }, wrong)).status).toBe(401);
  });
});
