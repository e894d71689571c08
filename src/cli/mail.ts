import { Option } from 'commander';
import type { Command } from 'commander';
import { ANY_LANGUAGE } from '../accounts/profile.ts';
import { invalidInput, notFound, unavailable } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { Entry } from '../mail/outbox.ts';
import { SendFailure } from '../mail/transport.ts';
import { every } from './every.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

/** What `mail list` shows: those that wait, and those that wait no more. */
const STUCK = ['waiting', 'given_up'] as const;
const STATES = [...STUCK, 'sent', 'shown'] as const;
const COLUMNS = ['id', 'template', 'to', 'state', 'attempts', 'created_at', 'due_at', 'problem'];

interface ListOptions {
  state?: (typeof STATES)[number];
  json?: boolean;
}

const isoTime = (seconds: number) => new Date(seconds * 1000).toISOString();

/** What an admin may see of a mail: whom it is for and what became of it, never its link or code. */
const facts = ({ id, template, state, attempts, created_at, due_at, message, problem, settled_at }: Entry) => ({
  id,
  template,
  to: message?.to ?? null,
  state,
  attempts,
  created_at,
  due_at: state === 'waiting' ? isoTime(due_at) : null,
  settled_at: settled_at === null ? null : isoTime(settled_at),
  problem: problem?.replace(/\s+/g, ' ') ?? null,
});

/** `mail list|retry|test`. */
export function mailCommands(program: Command, session: Session, output: Output): void {
  const mail = program.command('mail').description('Mails to people, and the way they take.');

  mail
    .command('list')
    .description('Mails that wait or were given up, oldest first, with what the mail server said.')
    .addOption(new Option('--state <state>', 'only those in one state').choices(STATES))
    .option('--json', 'print one JSON document')
    .action((options: ListOptions) =>
      session(async ({ mail: { outbox } }) => {
        const states = options.state ? [options.state] : STUCK;
        const lists = await Promise.all(states.map((state) => every((page) => outbox.list(state, page))));
        output.many(lists.flat().map(facts), COLUMNS, options);
      }),
    );

  mail
    .command('retry <id_or_all>')
    .description('Have a failed mail, or all of them, tried again at once by a running server.')
    .option('--json', 'print one JSON document')
    .action((which: string, options: { json?: boolean }) =>
      session(async ({ mail: { outbox } }) => {
        if (which !== 'all') {
          if (!(await outbox.retry(which))) throw notFound(`no mail ${which} waits after a failure or was given up`);
          return output.one({ id: which, retried: true }, options);
        }
        const lists = await Promise.all(STUCK.map((state) => every((page) => outbox.list(state, page))));
        const retried = await Promise.all(lists.flat().map(({ id }) => outbox.retry(id)));
        output.one({ retried: retried.filter(Boolean).length }, options);
      }),
    );

  mail
    .command('test')
    .description('Send one mail now, past the queue, and say what the mail server answered.')
    .requiredOption('--to <email>', 'address to send it to')
    .option('--json', 'print one JSON document')
    .action(({ to, ...options }: { to: string; json?: boolean }) =>
      session(async ({ mail: { transport, write } }) => {
        const way = await transport();
        if (!way) throw invalidInput('no mail server is configured: set mail.smtp_url (GATEHOUSE_MAIL_SMTP_URL)');
        try {
          const letter = await write({ to, template: 'test', locale: ANY_LANGUAGE, data: {} });
          output.one({ to, sent: true, answer: await way.send({ ...letter, id: newId(), to }) }, options);
        } catch (error) {
          if (!(error instanceof SendFailure)) throw error;
          throw unavailable(`the mail was not sent (${error.summary}): ${error.message.trim()}`);
        } finally {
          way.hangUp();
        }
      }),
    );
}
