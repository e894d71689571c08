/**
 * Mail: messages to people. This room owns what is sent and when: the templates' names and data (`message.ts`), the outbox that
 * keeps each mail until a mail server took it (`outbox.ts`, `store.ts`), the runner that sends (`runner.ts`) and SMTP itself
 * (`smtp.ts`). It leaves to others whom to write to and why (`interaction/`, `verification/`), how a template becomes text
 * (`http/`) and showing mails in development (`mailbox/`).
 */
import { invalidInput } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { TEMPLATES } from './message.ts';
import type { Message } from './message.ts';
import type { Outbox } from './outbox.ts';

/** `smtp`: mails are sent. `mailbox`: they are shown on the development page. `off`: there is nowhere for them to go. */
export type MailMode = 'smtp' | 'mailbox' | 'off';

export interface Mailer {
  /** Mail can be sent (SMTP configured) or shown (development mailbox). Ask before promising anybody a mail. */
  readonly available: boolean;
  /**
   * Queues one mail durably; never waits for the mail server. Where mail is not available it does nothing, so that a notice
   * needs no question first. `key`: a second mail with the same key is not queued (for some days).
   * @throws invalid_input when the address, template or data could never make a mail, unavailable when the store is away.
   */
  send(mail: {
    to: string;
    template: string;
    locale: string;
    data: Record<string, unknown>;
    key?: string;
  }): Promise<void>;
}

interface Needs {
  outbox: Pick<Outbox, 'add'>;
  mode: MailMode;
  issuer: string;
  log: Logger;
  /** Told after a mail was queued. */
  onQueued?: () => void;
}

/** RFC 5321, section 4.5.3.1.3. */
const LONGEST_ADDRESS = 254;
/** Characters that would end a header or name a second recipient; an address that needs them is not one we accept. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}<>]/u;

/** A link that leads anywhere but to us was made from something that is not to be trusted. */
const isForeign = (url: unknown, issuer: string) =>
  url !== undefined && URL.parse(typeof url === 'string' ? url : '')?.origin !== new URL(issuer).origin;

function problemWith({ to, template, data }: Message, issuer: string): [message: string, field: string] | undefined {
  if (!Object.hasOwn(TEMPLATES, template)) return [`there is no mail ${template}`, 'template'];
  if (UNSAFE.test(to) || !/.@./.test(to) || to.length > LONGEST_ADDRESS) return ['not an address to write to', 'to'];
  if (isForeign(data['url'], issuer)) return ['a link in a mail must lead to us', 'data'];
  const missing = TEMPLATES[template]!.find((name) => data[name] === undefined || data[name] === null);
  return missing === undefined ? undefined : [`the mail ${template} needs ${missing}`, 'data'];
}

export function createMailer({ outbox, mode, issuer, log, onQueued }: Needs): Mailer {
  const available = mode !== 'off';
  let told = false;

  /** Once, for whoever wonders where the mails are. */
  function tell(template: string): void {
    if (!told) log.warn({ template }, 'mails are not sent: no mail server is configured (mail.smtp_url)');
    told = true;
  }

  return {
    available,
    async send({ key, ...message }) {
      const problem = problemWith(message, issuer);
      if (problem) throw invalidInput(...problem);
      if (!available) return tell(message.template);
      await outbox.add(message, { key, state: mode === 'smtp' ? 'waiting' : 'shown' });
      onQueued?.();
    },
  };
}
