import { Option } from 'commander';
import type { Command } from 'commander';
import { notFound } from '../kernel/errors.ts';
import type { Entry } from '../logout/queue.ts';
import { every } from './every.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

/** What `logout list` shows: those that wait, and those that wait no more. */
const STUCK = ['waiting', 'given_up'] as const;
const STATES = [...STUCK, 'confirmed'] as const;
const COLUMNS = ['id', 'client_id', 'account_id', 'cause', 'state', 'attempts', 'created_at', 'due_at', 'problem'];

interface ListOptions {
  state?: (typeof STATES)[number];
  json?: boolean;
}

const isoTime = (seconds: number) => new Date(seconds * 1000).toISOString();

/** Without a client it is a log-out that was broken off, and is completed by a running server. */
const facts = ({ id, client_id, account_id, cause, state, attempts, created_at, ...rest }: Entry) => ({
  id,
  client_id,
  account_id: account_id ?? null,
  cause,
  state,
  attempts,
  created_at,
  due_at: state === 'waiting' ? isoTime(rest.due_at) : null,
  settled_at: rest.settled_at === null ? null : isoTime(rest.settled_at),
  problem: rest.problem,
});

/** `logout list|retry`. */
export function logoutCommands(program: Command, session: Session, output: Output): void {
  const logout = program.command('logout').description('Apps that are told of a log-out.');

  logout
    .command('list')
    .description('Apps that are still to be told of a log-out or were given up, oldest first, with what they answered.')
    .addOption(new Option('--state <state>', 'only those in one state').choices(STATES))
    .option('--json', 'print one JSON document')
    .action((options: ListOptions) =>
      session(async ({ logOuts: { queue } }) => {
        const states = options.state ? [options.state] : STUCK;
        const lists = await Promise.all(states.map((state) => every((page) => queue.list(state, page))));
        output.many(lists.flat().map(facts), COLUMNS, options);
      }),
    );

  logout
    .command('retry <id_or_all>')
    .description('Have an app that could not be told, or all of them, told again at once by a running server.')
    .option('--json', 'print one JSON document')
    .action((which: string, options: { json?: boolean }) =>
      session(async ({ logOuts: { queue } }) => {
        if (which !== 'all') {
          if (!(await queue.retry(which))) throw notFound(`no delivery ${which} waits after a failure or was given up`);
          return output.one({ id: which, retried: true }, options);
        }
        const lists = await Promise.all(STUCK.map((state) => every((page) => queue.list(state, page))));
        const retried = await Promise.all(lists.flat().map(({ id }) => queue.retry(id)));
        output.one({ retried: retried.filter(Boolean).length }, options);
      }),
    );
}
