/** How mails leave: the `mail` section. */
import { z } from 'zod';
import { seconds } from './values.ts';

// Without what would end a header or name a second address.
const mailbox = z
  .string()
  .max(320)
  .regex(
    /^([^<>"\p{Cc}]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)$/u,
    'must be an address, or Name <address>',
  );

/** Whether it names a server, and user and password can be decoded. */
function isSmtpUrl(value: string): boolean {
  const url = URL.parse(value);
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || /[?#]/.test(value)) return false;
  try {
    decodeURIComponent(url.username + url.password);
    return true;
  } catch {
    return false;
  }
}
const smtpUrl = z
  .string()
  .refine(
    isSmtpUrl,
    'must be smtp://… or smtps://… with a host, neither query nor fragment, and a percent-encoded password',
  );

export const mail = z.strictObject({
  smtp_url: smtpUrl.optional().meta({
    secret: true,
    description:
      'Mail server: `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`. Special characters in the password percent-encoded.',
  }),
  from: mailbox.optional().meta({
    description:
      'Sender of all mails, an address or `Name <address>`. Needed with `smtp_url`; default outside production: `no-reply@<host of issuer>`.',
  }),
  reply_to: mailbox.optional().meta({ description: 'Where answers to mails go, if not to the sender.' }),
  allow_insecure: z.boolean().default(false).meta({
    description: 'Send also where the mail server offers no TLS. To a server on this machine that is always allowed.',
  }),
  timeout: seconds(20, 'How long to wait for each answer of the mail server; one mail may take three times as long.'),
  mailbox: z.boolean().default(false).meta({
    description:
      'Where no `smtp_url` is set, show mails at `/mailbox` instead of sending them. Everybody can read them: refused in production.',
  }),
});
