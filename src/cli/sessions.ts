import type { Command } from 'commander';
import { OPERATOR } from '../administration/principal.ts';
import { invalidInput } from '../kernel/errors.ts';
import type { SessionOverview } from '../oidc/sessions.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

const COLUMNS = ['id', 'sub', 'address', 'user_agent', 'last_seen_at', 'clients'];
const SHOWN = 50;
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

const shown = (sub: string, { id, address, user_agent, since, last_seen, clients }: SessionOverview) => ({
  id,
  sub,
  address,
  user_agent,
  began_at: iso(since),
  last_seen_at: iso(last_seen),
  clients,
});

/** `session list|end`. */
export function sessionCommands(program: Command, session: Session, output: Output): void {
  const command = program.command('session').description('Where people are signed in.');

  command
    .command('list [email_or_sub]')
    .description('The sessions of a person, or those of everybody that were used last.')
    .option('--limit <count>', 'how many of everybody (500 at most)', Number, SHOWN)
    .option('--json', 'print one JSON document')
    .action((who: string | undefined, { limit, ...options }: { limit: number; json?: boolean }) =>
      session(async ({ people }) => {
        if (who === undefined) {
          const { items } = await people.allSessions({ limit });
          const rows = items.map(({ account_id, ...one }) => shown(account_id, one));
          return output.many(rows, COLUMNS, options);
        }
        const { id } = await people.get(who);
        const rows = (await people.sessions(id)).map((one) => shown(id, one));
        return output.many(rows, COLUMNS, options);
      }),
    );

  command
    .command('end <email_or_sub> [id]')
    .description('Sign a person out of one session, with the tokens that end with it.')
    .option('--all', 'sign them out everywhere')
    .option('--json', 'print one JSON document')
    .action((who: string, id: string | undefined, { all, ...options }: { all?: boolean; json?: boolean }) =>
      session(async ({ people }) => {
        if ((id === undefined) !== (all === true)) throw invalidInput('name one session, or --all', 'id');
        const { id: sub } = await people.get(who);
        if (id === undefined) return output.one({ sub, ended: await people.signOut(OPERATOR, sub) }, options);
        await people.endSession(OPERATOR, sub, id);
        return output.one({ sub, id, ended: 1 }, options);
      }),
    );
}
