/** Mails reach people, whatever the mail server does. */
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MailState } from '../../src/mail/store.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { asTimePasses, atOnce, authorize, backToNow, passTime } from '../support/journey.ts';
import { startMailServer } from '../support/mail-server.ts';
import type { MailServer, Misbehaviour } from '../support/mail-server.ts';
import { relyingParty } from '../support/relying-party.ts';
import { freePort } from '../support/ports.ts';
import { MEASURED } from '../support/timing.ts';

const DAY = 86_400;

let server: MailServer | undefined;
let gatehouse: Running;
beforeEach(() => {
  server = undefined;
});
afterEach(async () => {
  backToNow();
  await gatehouse.stop();
  await server?.stop();
});

const url = () => `${gatehouse.issuer}/verify?token=t0ken`;
const send = (to: string, more: { template?: string; key?: string; data?: Record<string, unknown> } = {}) =>
  gatehouse.mail.mailer.send({
    to,
    template: 'verify-email',
    locale: 'en',
    ...more,
    data: { name: 'Ada', url: url(), code: '123456', minutes: 15, ...more.data },
  });
const inState = async (state: MailState) => (await gatehouse.mail.outbox.list(state, {})).items;
const warnings = () => gatehouse.logged.filter(({ level }) => Number(level) >= 40).map(({ msg }) => String(msg));
const matching = (pattern: RegExp) => expect.stringMatching(pattern) as string;

async function start(behaviour?: Misbehaviour, env: Record<string, string> = {}): Promise<MailServer> {
  server = await startMailServer(behaviour);
  gatehouse = await startGatehouse({ GATEHOUSE_MAIL_SMTP_URL: server.url, ...env });
  return server;
}

async function signIn(): Promise<void> {
  const person = await gatehouse.person();
  await authorize(await relyingParty(gatehouse, await gatehouse.app({ first_party: true })), person);
}

describe('a mail', () => {
  it('arrives once, as text and HTML, from the sender to its one recipient', async () => {
    const { waitFor, mails } = await start(undefined, {
      GATEHOUSE_MAIL_FROM: 'Acme ID <id@acme.example>',
      GATEHOUSE_MAIL_REPLY_TO: 'help@acme.example',
    });
    await send('ada@example.com');
    const mail = await waitFor('ada@example.com');
    expect(mail).toMatchObject({ to: ['ada@example.com'], from: 'id@acme.example', code: '123456', link: url() });
    expect(mail.subject).toBe('Confirm your e-mail address');
    expect(mail.header('from')).toBe('Acme ID <id@acme.example>');
    expect(mail.header('to')).toBe('ada@example.com');
    expect(mail.header('reply-to')).toBe('help@acme.example');
    expect(mail.header('auto-submitted')).toBe('auto-generated');
    expect(mail.html).toContain(`href="${url()}"`);
    await eventually(async () => expect(await inState('sent')).toHaveLength(1));
    const [sent] = await inState('sent');
    expect(mail.header('message-id')).toBe(`<${sent!.id}@acme.example>`);
    expect(mails).toHaveLength(1);
  });

  it('is sent within moments, not with the next look', MEASURED, async () => {
    const { waitFor } = await start();
    await send('first@example.com');
    await waitFor('first@example.com');
    const begun = performance.now();
    await send('second@example.com');
    await waitFor('second@example.com');
    expect(performance.now() - begun).toBeLessThan(900);
  });

  it('with the same key as another is not sent', async () => {
    const { mails, waitFor } = await start();
    await atOnce(10, () => send('ada@example.com', { key: 'change-7' }));
    await send('ada@example.com', { key: 'change-8' });
    await Promise.all([waitFor('ada@example.com'), waitFor('ada@example.com')]);
    await eventually(async () => expect(await inState('sent')).toHaveLength(2));
    expect(mails).toHaveLength(2);
  });

  it('rests sealed, and leaves nothing of what it said when it was sent', async () => {
    const { waitFor } = await start({ slow: 500 });
    await send('ada@example.com');
    const resting = (await gatehouse.storage.outbox.list('waiting', {})).items[0]!;
    const dump = JSON.stringify(resting) + Buffer.from(resting.sealed!).toString('latin1');
    for (const secret of ['ada@', 't0ken', '123456']) expect(dump).not.toContain(secret);
    await waitFor('ada@example.com');
    await eventually(async () => expect((await gatehouse.storage.outbox.find(resting.id))?.sealed).toBeNull());
  });

  it.each([
    ['to nobody', { to: 'nobody' }],
    ['to two people', { to: 'ada@example.com\nbob@example.com' }],
    ['of a kind that there is not', { template: 'layout' }],
    ['with a link to elsewhere', { data: { url: 'https://evil.example/verify' } }],
    ['with a link that is none', { data: { url: 'javascript:alert(1)' } }],
    ['without what it is for', { data: {} }],
  ])('%s is refused', async (_, change) => {
    await start();
    const mail = { to: 'ada@example.com', template: 'verify-email', locale: 'en', data: { url: url() }, ...change };
    await expect(gatehouse.mail.mailer.send(mail)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await inState('waiting')).toEqual([]);
  });
});

describe('when the mail server', () => {
  it('is away, nothing is lost or held up; it is said once, and each mail comes once when it is back', async () => {
    const port = await freePort(); // at which nobody answers
    gatehouse = await startGatehouse({ GATEHOUSE_MAIL_SMTP_URL: `smtp://127.0.0.1:${port}` });
    const people = Array.from({ length: 20 }, (_, index) => `p${index}@example.com`);
    for (const to of people) await send(to);
    await eventually(() => expect(warnings()).toHaveLength(1));
    expect(warnings()[0]).toContain('mail cannot be sent');
    await signIn();
    expect((await fetch(`${gatehouse.issuer}/ready`)).status).toBe(200);
    const tries = async () => (await inState('waiting')).reduce((sum, { attempts }) => sum + attempts, 0);
    for (let minute = 0; minute < 3; minute += 1) {
      const before = await tries();
      await asTimePasses(61, async () => expect(await tries()).toBeGreaterThan(before));
    }
    expect(await inState('waiting')).toHaveLength(20);
    expect(warnings()).toHaveLength(1);

    server = await startMailServer({ port });
    // Each when it is due, which is not the same moment for all.
    await asTimePasses(61, () => expect(server!.mails.length).toBeGreaterThanOrEqual(people.length));
    await Promise.all(people.map((to) => server!.waitFor(to)));
    await eventually(async () => expect(await inState('sent')).toHaveLength(20));
    expect(server.mails).toHaveLength(20);
    expect(gatehouse.logged.filter(({ msg }) => msg === 'mail can be sent again')).toHaveLength(1);
  });

  it('refuses a person for good, that mail is given up and the others are not', async () => {
    const answer = { code: 550, text: '5.1.1 <gone@example.com> is not here, you said http://t0ken' };
    const { waitFor } = await start({ recipient: (to) => (to === 'gone@example.com' ? answer : undefined) });
    await send('gone@example.com');
    await send('ada@example.com');
    await waitFor('ada@example.com');
    await eventually(async () => expect(await inState('given_up')).toHaveLength(1));
    const [entry] = await inState('given_up');
    expect(entry).toMatchObject({ attempts: 1, message: { to: 'gone@example.com' } });
    expect(entry!.problem).toContain('5.1.1 <gone@example.com> is not here');
    expect(warnings()).toEqual(['a mail was given up (see: gatehouse mail list)']);
    expect(JSON.stringify(gatehouse.logged)).not.toMatch(/gone@|t0ken/);
  });

  it('refuses the content for good, that mail is given up', async () => {
    await start({ data: () => ({ code: 554, text: 'looks like spam' }) });
    await send('ada@example.com');
    await eventually(async () => expect(await inState('given_up')).toMatchObject([{ attempts: 1 }]));
  });

  it('refuses for now, the mail comes later', async () => {
    let tries = 0;
    const { waitFor } = await start({
      recipient: () => ((tries += 1) === 1 ? { code: 450, text: '4.2.0 greylisted' } : undefined),
    });
    await send('ada@example.com');
    await eventually(async () =>
      expect(await inState('waiting')).toMatchObject([{ attempts: 1, problem: matching(/greylisted/) }]),
    );
    passTime(31);
    await waitFor('ada@example.com');
    await eventually(async () => expect(await inState('sent')).toMatchObject([{ attempts: 2 }]));
    expect(warnings()).toEqual([]);
  });

  it('refuses for days, the mail is given up, kept, and can be tried again', async () => {
    let refusing = true;
    const { waitFor } = await start({
      recipient: () => (refusing ? { code: 451, text: '4.3.0 try again' } : undefined),
    });
    await send('ada@example.com');
    await eventually(async () => expect(await inState('waiting')).toMatchObject([{ problem: matching(/try again/) }]));
    passTime(3 * DAY);
    await eventually(async () => expect(await inState('given_up')).toMatchObject([{ attempts: 2 }]));
    refusing = false;
    const [mail] = await inState('given_up');
    expect(await gatehouse.mail.outbox.retry(mail!.id)).toBe(true);
    await waitFor('ada@example.com');
  });

  it('is slow, nobody waits for it', MEASURED, async () => {
    const { waitFor } = await start({ slow: 3000 });
    for (let index = 0; index < 5; index += 1) await send(`p${index}@example.com`);
    const begun = performance.now();
    await signIn();
    expect(performance.now() - begun).toBeLessThan(2500);
    await waitFor('p0@example.com');
  });

  it('takes connections and says nothing, mails wait', async () => {
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    gatehouse = await startGatehouse({
      GATEHOUSE_MAIL_SMTP_URL: `smtp://127.0.0.1:${port}`,
      GATEHOUSE_MAIL_TIMEOUT: '1',
    });
    await send('ada@example.com');
    await eventually(async () =>
      expect(await inState('waiting')).toMatchObject([{ problem: matching(/[Gg]reeting/) }]),
    );
    expect(warnings()).toHaveLength(1);
    mute.close();
  });

  it('does not know our password, mails wait, and the log does not tell it', async () => {
    server = await startMailServer({
      options: {
        disabledCommands: ['STARTTLS'],
        authMethods: ['PLAIN'],
        allowInsecureAuth: true,
        onAuth: ({ password }, _session, done) =>
          password === 'p@ss/word' ? done(null, { user: 'u' }) : done(new Error(`no such password: ${password}`)),
      },
    });
    const withPassword = (password: string) =>
      startGatehouse({ GATEHOUSE_MAIL_SMTP_URL: `smtp://gate:${password}@127.0.0.1:${server!.port}` });
    gatehouse = await withPassword('wr0ng');
    await send('ada@example.com');
    await eventually(() => expect(warnings()).toHaveLength(1));
    expect(gatehouse.logged.find(({ reason }) => reason)).toMatchObject({ reason: 'EAUTH 535 AUTH PLAIN' });
    expect(JSON.stringify(gatehouse.logged)).not.toContain('wr0ng');
    expect(await inState('given_up')).toEqual([]);
    await gatehouse.stop();
    gatehouse = await withPassword('p%40ss%2Fword');
    await send('ada@example.com');
    await server.waitFor('ada@example.com');
  });
});

describe('TLS', () => {
  // Also this machine, but not by a name that says so.
  const host = '127.0.0.2';

  it('is asked of a server elsewhere, unless the configuration says otherwise', async () => {
    await start({ host });
    await send('ada@example.com');
    await eventually(() => expect(warnings()).toHaveLength(1));
    expect(gatehouse.logged.find(({ reason }) => reason)).toMatchObject({ reason: matching(/^ETLS/) });
    expect(server!.mails).toEqual([]);
    await gatehouse.stop();
    gatehouse = await startGatehouse({ GATEHOUSE_MAIL_SMTP_URL: server!.url, GATEHOUSE_MAIL_ALLOW_INSECURE: 'true' });
    await send('ada@example.com');
    await server!.waitFor('ada@example.com');
  });

  it('with a certificate that nobody vouches for is none', async () => {
    await start({ host, options: { disabledCommands: ['AUTH'] } }, { GATEHOUSE_MAIL_ALLOW_INSECURE: 'true' });
    await send('ada@example.com');
    await eventually(() => expect(warnings()).toHaveLength(1));
    expect(server!.mails).toEqual([]);
  });

  it('is used with a server on this machine where it has it, whatever its certificate', async () => {
    await start({ options: { disabledCommands: ['AUTH'] } });
    await send('ada@example.com');
    expect((await server!.waitFor('ada@example.com')).subject).not.toBe('');
  });
});

describe('when Gatehouse', () => {
  it('stops, the mail in hand is sent first', async () => {
    let asked = false;
    await start({ slow: 1500, recipient: () => void (asked = true) });
    await send('ada@example.com');
    await eventually(() => expect(asked).toBe(true));
    await gatehouse.stop();
    expect(server!.mails).toHaveLength(1);
    gatehouse = await startGatehouse();
  });

  it('has no mail server, it says so once and goes on', async () => {
    gatehouse = await startGatehouse();
    expect(gatehouse.mail.mailer.available).toBe(false);
    await send('ada@example.com');
    await send('ada@example.com');
    expect(warnings()).toEqual(['mails are not sent: no mail server is configured (mail.smtp_url)']);
    expect(await inState('waiting')).toEqual([]);
  });
});
