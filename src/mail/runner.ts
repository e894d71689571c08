/**
 * The runner sends what is due. Every process has one; a lease in the store lets one of them send at a time, and each mail is
 * claimed before it is sent. A mail leaves the outbox only once a server took it: if the process dies between the server's
 * answer and our note of it, or the connection before the answer, the mail is sent again, with the same Message-ID.
 */
import { epochSeconds } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { persistently, startWorker } from '../kernel/worker.ts';
import { waitAfter } from './back-off.ts';
import type { Write } from './letter.ts';
import type { Outbox } from './outbox.ts';
import { LINES, SendFailure } from './transport.ts';
import type { Transport } from './transport.ts';
import type { Outcome, OutboxStore, QueuedMail } from './store.ts';

const PAUSE_MS = 1000;
const LEASE_SECONDS = 30;
const HEARTBEAT_MS = 10_000;
/** Time beside the sending itself, in which to note how it ended. */
const SPARE_SECONDS = 30;
const LAST_MAIL_MS = 10_000;

export interface Runner {
  /** Something was queued: looks at once instead of within a second. */
  nudge(): void;
  /** Begins no other mail, and resolves when those in hand are done, broken off after ten seconds. */
  stop(): Promise<void>;
}

interface Needs {
  store: OutboxStore;
  outbox: Pick<Outbox, 'open' | 'sealProblem'>;
  write: Write;
  transport: Transport;
  log: Logger;
}

export function startRunner({ store, outbox, write, transport, log }: Needs): Runner {
  const holder = newId();
  let stopped = false;
  /** The mail server does not work: how often in a row that was seen, since when, and when to ask it again. */
  const outage = { failures: 0, since: 0, until: 0 };

  const mayWork = () => !stopped && epochSeconds() >= outage.until;

  async function send(mail: QueuedMail): Promise<void> {
    let letter;
    try {
      const { message } = outbox.open(mail);
      letter = { ...(await write(message!)), id: mail.id, to: message!.to };
    } catch (error) {
      log.error({ err: error, mail: mail.id, template: mail.template }, 'a mail could not be written');
      throw new SendFailure('never', 'unwritten', (error as Error).message);
    }
    await transport.send(letter);
  }

  function serverFailed(summary: string): void {
    const now = epochSeconds();
    if (now < outage.until) return; // another mail has just met the same
    if (outage.failures === 0) {
      outage.since = now;
      log.warn({ reason: summary }, 'mail cannot be sent; it is kept and tried again (see: gatehouse mail test)');
    }
    outage.failures += 1;
    outage.until = now + waitAfter(outage.failures, 'server');
  }

  function serverWorks(): void {
    if (outage.failures > 0) log.info({ seconds: epochSeconds() - outage.since }, 'mail can be sent again');
    outage.failures = 0;
  }

  /** What becomes of a mail that was not taken. */
  function afterFailure(mail: QueuedMail, failure: SendFailure): Outcome {
    if (failure.kind === 'server') serverFailed(failure.summary);
    const now = epochSeconds();
    const problem = outbox.sealProblem(mail.id, failure.message);
    if (failure.kind === 'never' || now >= mail.give_up_at) {
      log.warn(
        { mail: mail.id, template: mail.template, attempts: mail.attempts, reason: failure.summary },
        'a mail was given up (see: gatehouse mail list)',
      );
      return { state: 'given_up', settled_at: now, problem };
    }
    const due_at = failure.kind === 'server' ? outage.until : now + waitAfter(mail.attempts, 'mail');
    return { state: 'waiting', due_at, problem };
  }

  /** A mail that was sent but not noted would be sent again: a store that is away for a moment is waited for. */
  const note = ({ id, attempts }: QueuedMail, outcome: Outcome): Promise<void> =>
    persistently(() => store.settle(id, attempts, outcome), PAUSE_MS);

  async function attempt(mail: QueuedMail): Promise<void> {
    try {
      await send(mail);
    } catch (error) {
      if (!(error instanceof SendFailure)) throw error;
      return note(mail, afterFailure(mail, error));
    }
    serverWorks();
    await note(mail, { state: 'sent', settled_at: epochSeconds() });
  }

  /** Sends one due mail. @returns whether there was one. */
  async function next(): Promise<boolean> {
    const now = epochSeconds();
    const mail = await store.claim(now, now + transport.longest + SPARE_SECONDS);
    if (mail) await attempt(mail);
    return mail !== undefined;
  }

  async function line(): Promise<void> {
    while (mayWork() && (await next()));
  }

  /** After a failure of the server one mail finds out whether it works again. */
  async function sendDue(): Promise<void> {
    if (outage.failures > 0 && !(await next())) return;
    const lines = await Promise.allSettled(Array.from({ length: LINES }, line));
    const failed = lines.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  const prolong = () => {
    const now = epochSeconds();
    return store.lease(holder, now, now + LEASE_SECONDS);
  };

  async function work(): Promise<void> {
    if (!mayWork() || !(await store.isDue(epochSeconds())) || !(await prolong())) return;
    const heartbeat = setInterval(() => void prolong().catch(() => undefined), HEARTBEAT_MS);
    try {
      await sendDue();
    } finally {
      clearInterval(heartbeat);
      transport.hangUp();
      await store.release(holder);
    }
  }

  const worker = startWorker(work, (error) =>
    log.warn({ err: error }, 'the outbox cannot be worked on; it is tried again every second'),
  );
  return {
    nudge: worker.nudge,
    async stop() {
      stopped = true;
      const impatience = setTimeout(() => transport.abort(), LAST_MAIL_MS);
      await worker.stop();
      clearTimeout(impatience);
    },
  };
}
