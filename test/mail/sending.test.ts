import { afterEach, describe, expect, it } from 'vitest';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { startMailServer } from '../support/mail-server.ts';
import type { MailServer } from '../support/mail-server.ts';

let server: MailServer;
let gatehouse: Running;
afterEach(async () => {
  await gatehouse.stop();
  await server.stop();
});

const open = (env: Record<string, string> = {}) => startGatehouse({ GATEHOUSE_MAIL_SMTP_URL: server.url, ...env });
const verify = (to: string, more: Record<string, unknown> = {}) => ({
  to,
  template: 'verify-email',
  locale: 'en',
  data: { name: 'Ada', url: `${gatehouse.issuer}/verify?token=t0ken`, code: '123456', minutes: 15, ...more },
});

describe('a mail', () => {
  it('arrives once, as text and HTML', async () => {
    server = await startMailServer();
    gatehouse = await open();
    await gatehouse.mail.mailer.send(verify('ada@example.com'));
    const mail = await server.waitFor('ada@example.com');
    expect(mail.link).toBe(`${gatehouse.issuer}/verify?token=t0ken`);
    expect(mail.code).toBe('123456');
  });
});
