/** Somebody else's words in a mail of ours: headers, recipients, links and text that an attacker would like to add. */
import { parse } from 'node-html-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEMPLATES } from '../../src/mail/message.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { startMailServer } from '../support/mail-server.ts';
import type { MailServer, Received } from '../support/mail-server.ts';

const HEADER = 'Ada\r\nBcc: evil@example.com\r\nX-Evil: 1\r\n\r\n<h1>Evil</h1>';
const ATTACKS: Record<string, string> = {
  'a header': HEADER,
  'a bare line feed': 'Ada\nBcc: evil@example.com',
  'a bare carriage return': 'Ada\rBcc: evil@example.com',
  'line separators of Unicode': 'Ada\u2028Bcc: evil@example.com\u2029\u0085Bcc: evil@example.com',
  'an encoded word': 'Ada =?utf-8?q?=0D=0ABcc:_evil@example.com?=',
  markup: '"><img src=x onerror=alert(1)><a href="https://evil.example">',
  'a template': '<%= process.env %> {{url}} $t(mail.link) #{1}',
  'reversed text': 'Ada \u202Eelpmaxe.live\u202C\u200B',
  'a null byte': 'Ada\0Bcc: evil@example.com',
  'very much': 'A'.repeat(10_000),
  'no end of marks': `A${'\u0301'.repeat(5000)}`,
};
const FIELDS = ['name', 'app', 'provider', 'device', 'address'];

let server: MailServer;
let gatehouse: Running;
let count = 0;
beforeAll(async () => {
  server = await startMailServer();
  gatehouse = await startGatehouse({ GATEHOUSE_MAIL_SMTP_URL: server.url, GATEHOUSE_MAIL_FROM: 'id@acme.example' });
});
afterAll(async () => {
  await gatehouse.stop();
  await server.stop();
});

async function sent(template: string, data: Record<string, unknown>): Promise<Received> {
  const to = `victim-${(count += 1)}@example.com`;
  const url = `${gatehouse.issuer}/here?token=a&b=c`;
  const texts = { provider: 'Google', address: 'new@example.com', device: 'Firefox', app: 'Notes', code: '123456' };
  const base = { url, ...texts, left: 3, time: 1_800_000_000 };
  await gatehouse.mail.mailer.send({ to, template, locale: 'en', data: { ...base, ...data } });
  return server.waitFor(to);
}

const HEADERS = [
  'auto-submitted',
  'content-type',
  'date',
  'from',
  'message-id',
  'mime-version',
  'subject',
  'to',
  'x-auto-response-suppress',
];
const headerNames = ({ raw }: Received) =>
  [...raw.slice(0, raw.indexOf('\r\n\r\n')).matchAll(/^([\w-]+):/gm)].map(([, name]) => name!.toLowerCase()).toSorted();

/** What must hold for every mail, whoever wrote into it. */
function isOurs(mail: Received): void {
  expect(headerNames(mail)).toEqual(HEADERS);
  expect(mail.to).toHaveLength(1);
  expect(mail.to[0]).toMatch(/^victim-/);
  const html = parse(mail.html);
  expect(html.querySelectorAll('img, script, iframe, form, base')).toEqual([]);
  for (const link of html.querySelectorAll('[href]'))
    expect(link.getAttribute('href')).toMatch(new RegExp(`^${gatehouse.issuer}/`));
  const links = mail.text.match(/^\s*https?:\/\/\S+/gm) ?? [];
  for (const link of links) expect(link.startsWith(gatehouse.issuer)).toBe(true);
  expect(mail.text).not.toMatch(/^(Bcc|X-Evil|<h1)/m);
  expect(mail.text + mail.html).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\0]/);
  expect(mail.raw.length).toBeLessThan(30_000);
}

describe('what somebody else wrote adds no header, recipient, link or markup to', () => {
  it.each(Object.keys(TEMPLATES))('%s', async (template) => {
    for (const attack of Object.values(ATTACKS)) {
      isOurs(await sent(template, Object.fromEntries(FIELDS.map((field) => [field, attack]))));
    }
  });
});

describe('a name', () => {
  it.each([
    'Win at https://evil.example',
    'evil.example',
    'www.evil.example now',
    'Click evil\u2024example/x',
    'mail me@evil.example',
    '\\\\evil\\share',
  ])('that mail programs would make a link of is not greeted by (%s)', async (name) => {
    const mail = await sent('verify-email', { name });
    expect(mail.text).toContain('Hello,\n');
    expect(mail.text + mail.html).not.toContain('evil');
  });

  it.each(['Ada Lovelace', 'J. R. R. Tolkien', "O'Brien & Söhne", 'Иван Петров', '山田 太郎', 'مها', 'José-María 🌻'])(
    'of a person is (%s)',
    async (name) => {
      const mail = await sent('verify-email', { name });
      expect(mail.text).toContain(`Hello ${name.normalize('NFC')},`);
      expect(parse(mail.html).text.replaceAll('&#39;', "'").replaceAll('&amp;', '&')).toContain(name);
      isOurs(mail);
    },
  );
});

describe('an address', () => {
  it.each([
    'victim@example.com\r\nBcc: evil@example.com',
    'victim@example.com\nRCPT TO:<evil@example.com>',
    'victim@example.com>\r\nRCPT TO:<evil@example.com',
    '<evil@example.com>',
    'victim@example.com\0',
    `${'a'.repeat(300)}@example.com`,
    'nobody',
    '',
  ])('that is more than one is refused (%j)', async (to) => {
    const before = server.mails.length;
    await expect(gatehouse.mail.mailer.send({ to, template: 'test', locale: 'en', data: {} })).rejects.toMatchObject({
      code: 'invalid_input',
    });
    expect(server.mails).toHaveLength(before);
  });

  it.each(['victim-a,evil@example.com', '"victim-b evil@example.com,"@example.com', 'victim-c;evil@example.com'])(
    'that looks like two goes to one or to nobody (%s)',
    async (to) => {
      await gatehouse.mail.mailer.send({ to, template: 'test', locale: 'en', data: {} });
      await sent('test', {});
      const others = server.mails.flatMap((mail) => mail.to).filter((one) => !/^"?victim-/.test(one));
      expect(others).toEqual([]);
      for (const mail of server.mails) expect(mail.to).toHaveLength(1);
    },
  );

  it.each(['vïctim-ü@example.com', 'victim@пример.example'])('in another script arrives (%s)', async (to) => {
    await gatehouse.mail.mailer.send({ to, template: 'test', locale: 'en', data: {} });
    await expect.poll(() => server.mails.some((mail) => /v.ctim-.@|@xn--|пример/.test(mail.to[0]!))).toBe(true);
  });
});

describe('a language', () => {
  it.each(['xx', '../../etc/passwd', 'en\r\nBcc: evil@example.com', '', '__proto__'])(
    'that there is not becomes one that there is (%j)',
    async (locale) => {
      const to = `victim-${(count += 1)}@example.com`;
      await gatehouse.mail.mailer.send({ to, template: 'test', locale, data: {} });
      const mail = await server.waitFor(to);
      expect(mail.subject).toBe('A mail to try things out');
      isOurs(mail);
    },
  );
});
