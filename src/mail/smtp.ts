/** Mails to one mail server (RFC 5321), and what its refusals mean. */
import { createTransport } from 'nodemailer';
import { isLoopback } from '../kernel/urls.ts';
import { LINES, SendFailure } from './transport.ts';
import type { Transport } from './transport.ts';

/** Each answer may take `timeout`, a mail in all this many times as long. */
const PATIENCE = 3;
const IDLE_MS = 5000;
const SUBMISSION_PORT = 587;
const SUBMISSIONS_PORT = 465;

export interface SmtpOptions {
  url: string;
  /** An address, or `Name <address>`. */
  from: string;
  replyTo: string | undefined;
  /** The sender's name where `from` has none. */
  name: string;
  /** Send without TLS where the server offers none. */
  allowInsecure: boolean;
  /** In seconds. */
  timeout: number;
}

interface SmtpError extends Error {
  code?: string;
  command?: string;
  response?: string;
  responseCode?: number;
}

/** Refusals of this one mail; all else is about the server and us. */
function kindOf({ code, command, responseCode = 0 }: SmtpError): SendFailure['kind'] {
  // It answered, only too slowly in all, or we were told to stop.
  if (code === 'EABORT') return 'later';
  const ofMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  if (!ofMail || command === 'MAIL FROM' || responseCode === 421) return 'server';
  // Without an answer it was never sent: this address or size is one that the server does not take.
  if (responseCode === 0) return 'never';
  return responseCode >= 500 && responseCode !== 503 ? 'never' : 'later';
}

function failure(error: unknown): SendFailure {
  const { code = 'unknown', command, response, responseCode, message } = error as SmtpError;
  const summary = [code, responseCode, command].filter(Boolean).join(' ');
  return new SendFailure(kindOf(error as SmtpError), summary, response ?? message);
}

/** `Name <address>` or an address, as two. */
function sender(from: string, name: string): { name: string; address: string } {
  const parts = /^(.*)<(.+)>$/.exec(from);
  return parts ? { name: parts[1]!.trim() || name, address: parts[2]! } : { name, address: from };
}

const unescaped = (text: string) => decodeURIComponent(text);

/** Sender and address for answers are read with each mail. */
export function createSmtp(given: SmtpOptions): Transport {
  const { url, allowInsecure, timeout } = given;
  const server = new URL(url);
  const local = isLoopback(server);
  const secure = server.protocol === 'smtps:';
  const ms = timeout * 1000;
  const options = {
    host: server.hostname.replace(/^\[|\]$/g, ''),
    port: Number(server.port) || (secure ? SUBMISSIONS_PORT : SUBMISSION_PORT),
    secure,
    requireTLS: !local && !allowInsecure,
    // Nobody stands between us and this very machine, whose certificate is rarely one that could be checked.
    tls: { rejectUnauthorized: !local, minVersion: 'TLSv1.2' as const },
    ...(server.username === '' ? {} : { auth: { user: unescaped(server.username), pass: unescaped(server.password) } }),
    connectionTimeout: ms,
    greetingTimeout: ms,
    socketTimeout: ms,
    dnsTimeout: ms,
    disableFileAccess: true,
    disableUrlAccess: true,
    pool: true as const,
    maxConnections: LINES,
    // Whether a mail was taken when its connection broke is for the outbox to judge.
    maxRequeues: 0,
    idleTimeout: IDLE_MS,
  };
  const connect = () => createTransport(options);
  let pool: ReturnType<typeof connect> | undefined;
  let broken = new AbortController();

  return {
    longest: timeout * PATIENCE,
    async send({ id, to, subject, text, html }) {
      pool ??= connect();
      const { from, name, replyTo } = given;
      const { address, name: senderName } = sender(from, name);
      const domain = address.slice(address.lastIndexOf('@') + 1);
      try {
        const { response } = await pool.sendMail({
          from: { name: senderName, address },
          // As objects: a text would be read as a list, and `"x evil@a.example"@b.example` as an address at a.example.
          to: { name: '', address: to },
          envelope: { from: { name: '', address }, to: { name: '', address: to } },
          ...(replyTo === undefined ? {} : { replyTo: sender(replyTo, '') }),
          messageId: `<${id}@${domain}>`,
          subject,
          text,
          html,
          // No out-of-office answers to a mail that nobody wrote (RFC 3834, section 5).
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
          signal: AbortSignal.any([AbortSignal.timeout(ms * PATIENCE), broken.signal]),
        });
        return response;
      } catch (error) {
        throw failure(error);
      }
    },
    hangUp() {
      pool?.close();
      pool = undefined;
    },
    abort() {
      broken.abort();
      broken = new AbortController();
    },
  };
}
