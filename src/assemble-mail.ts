/** Wires the mail room: outbox, templates, and SMTP where it is configured. The commands use it without the runner. */
import type { Config } from './config/schema.ts';
import type { Locales } from './http/locale.ts';
import type { Draw } from './http/views.ts';
import type { Logger } from './kernel/logger.ts';
import type { Vault } from './kernel/secrets.ts';
import { createWriter } from './mail/letter.ts';
import type { Write } from './mail/letter.ts';
import { createMailer } from './mail/mailer.ts';
import type { Mailer, MailMode } from './mail/mailer.ts';
import { createOutbox } from './mail/outbox.ts';
import type { Outbox } from './mail/outbox.ts';
import { startPurging } from './mail/purge.ts';
import { startRunner } from './mail/runner.ts';
import type { Transport } from './mail/transport.ts';
import type { OutboxStore } from './mail/store.ts';

export interface Mail {
  mode: MailMode;
  mailer: Mailer;
  outbox: Outbox;
  write: Write;
  /** The way to the mail server; undefined where none is configured. */
  transport(): Promise<Transport | undefined>;
  /** Begins to send. @returns a function that stops, the mail in hand finished. */
  start(): Promise<() => Promise<void>>;
}

interface Needs {
  config: Pick<Config, 'mail' | 'brand' | 'issuer'>;
  store: OutboxStore;
  vault: Vault;
  locales: Pick<Locales, 'of'>;
  draw: Draw;
  log: Logger;
}

export function assembleMail({ config, store, vault, locales, draw, log }: Needs): Mail {
  const { issuer, brand } = config;
  const { smtp_url, allow_insecure, timeout, mailbox } = config.mail;
  const mode: MailMode = smtp_url ? 'smtp' : mailbox ? 'mailbox' : 'off';
  const outbox = createOutbox({ store, vault });
  let onQueued = () => undefined as void;
  const mailer = createMailer({ outbox, mode, issuer, log, onQueued: () => onQueued() });
  const language = (tag: string) => {
    const { t, ...locale } = locales.of(tag, brand.theme);
    return { ...locale, t: (key: string, variables: Record<string, unknown> = {}) => t(key, variables) };
  };
  const write = createWriter({
    draw: (view, locals) => draw(view, locals, brand.theme),
    language,
    issuer,
    get answers() {
      return config.mail.reply_to !== undefined;
    },
    brand,
  });

  /** Loaded only where mail is sent. */
  async function transport(): Promise<Transport | undefined> {
    if (!smtp_url) return undefined;
    const { createSmtp } = await import('./mail/smtp.ts');
    return createSmtp({
      url: smtp_url,
      get from() {
        return config.mail.from ?? `no-reply@${new URL(issuer).hostname}`;
      },
      get replyTo() {
        return config.mail.reply_to;
      },
      get name() {
        return brand.name;
      },
      allowInsecure: allow_insecure,
      timeout,
    });
  }

  return {
    mode,
    mailer,
    outbox,
    write,
    transport,
    async start() {
      const stopPurging = startPurging(store, (error) => log.warn({ err: error }, 'purging old mails failed'));
      const way = await transport();
      const runner = way && startRunner({ store, outbox, write, transport: way, log });
      if (runner) onQueued = runner.nudge;
      return async () => {
        stopPurging();
        await runner?.stop();
      };
    },
  };
}
