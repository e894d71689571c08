/** A mail server on loopback that keeps what it is sent, and misbehaves as it is told. */
import PostalMime from 'postal-mime';
import type { Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions, SMTPServerSession } from 'smtp-server';

export interface Received {
  /** The envelope's recipients: who it was really for. */
  to: string[];
  from: string;
  subject: string;
  text: string;
  html: string;
  /** The address of ours in it, its `url`; empty where it has none. */
  link: string;
  /** The code to type; empty where it has none. */
  code: string;
  /** A header's value by its name in small letters. */
  header(name: string): string | undefined;
  /** As it came over the wire. */
  raw: string;
}

export interface MailServer {
  /** For `GATEHOUSE_MAIL_SMTP_URL`. */
  url: string;
  port: number;
  /** All it has taken, in order. */
  mails: Received[];
  /** The next mail to `to` that nobody has waited for yet, if wanted one whose subject matches. Waits up to half a minute. */
  waitFor(to: string, subject?: RegExp): Promise<Received>;
  stop(): Promise<void>;
}

/** What it answers instead of taking a mail: a reply code and words, or nothing. */
type Answer = { code: number; text: string } | undefined;

export interface Misbehaviour {
  port?: number;
  /** 127.0.0.1 unless a test needs an address that does not pass for this machine. */
  host?: string;
  /** At `RCPT TO`. */
  recipient?: (address: string) => Answer;
  /** At the end of the data. */
  data?: (mail: Received) => Answer;
  /** What it waits for between taking a mail and saying so. */
  answerData?: () => Promise<void>;
  /** Milliseconds before it answers a recipient. */
  slow?: number;
  options?: SMTPServerOptions;
}

const WAIT_MS = 30_000;

const refusal = ({ code, text }: { code: number; text: string }) =>
  Object.assign(new Error(text), { responseCode: code });

function received(raw: string, session: SMTPServerSession, mail: Email): Received {
  const text = mail.text ?? '';
  const { mailFrom, rcptTo } = session.envelope;
  return {
    to: rcptTo.map(({ address }) => address),
    from: mailFrom ? mailFrom.address : '',
    subject: mail.subject ?? '',
    text,
    html: mail.html ?? '',
    link: /^https?:\/\/\S+$/m.exec(text)?.[0] ?? '',
    code: /^[\dA-Z]{2,}(?:[ -][\dA-Z]+)*$/m.exec(text)?.[0] ?? '',
    header: (name) => mail.headers.find(({ key }) => key === name)?.value,
    raw,
  };
}

/** Starts one on a free port, or on the one that is named. */
export async function startMailServer(behaviour: Misbehaviour = {}): Promise<MailServer> {
  const host = behaviour.host ?? '127.0.0.1';
  const mails: Received[] = [];
  const waitedFor = new Set<Received>();
  const listeners = new Set<() => void>();

  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    ...behaviour.options,
    onRcptTo({ address }, _session, done) {
      const answer = behaviour.recipient?.(address);
      setTimeout(() => done(answer && refusal(answer)), behaviour.slow ?? 0);
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        void (async () => {
          const raw = Buffer.concat(chunks).toString();
          const mail = received(raw, session, await PostalMime.parse(raw));
          const answer = behaviour.data?.(mail);
          if (answer) return done(refusal(answer));
          mails.push(mail);
          await behaviour.answerData?.();
          done();
          for (const look of listeners) look();
        })();
      });
    },
  });
  server.on('error', () => undefined); // connections that are broken off
  await new Promise<void>((resolve) => server.listen(behaviour.port ?? 0, host, resolve));
  const { port } = server.server.address() as { port: number };

  function take(to: string, subject: RegExp): Received | undefined {
    const found = mails.find((mail) => !waitedFor.has(mail) && mail.to.includes(to) && subject.test(mail.subject));
    if (found) waitedFor.add(found);
    return found;
  }

  return {
    url: `smtp://${host}:${port}`,
    port,
    mails,
    waitFor: (to, subject = /(?:)/) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const mail = take(to, subject);
          if (!mail) return;
          clearTimeout(impatience);
          listeners.delete(look);
          resolve(mail);
        };
        const impatience = setTimeout(() => {
          listeners.delete(look);
          const had = mails.map((mail) => `${mail.to.join()}: ${mail.subject}`).join('; ');
          reject(new Error(`no mail to ${to} (${subject.source}) came; there were: ${had || 'none'}`));
        }, WAIT_MS);
        listeners.add(look);
        look();
      }),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
