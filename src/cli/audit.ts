import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { AuditSearch } from '../audit/audit.ts';
import type { AuditEntry } from '../audit/event.ts';
import type { Witness } from '../audit/verify.ts';
import { conflict } from '../kernel/errors.ts';
import { readPeople } from './audit-people.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

interface Filters {
  type?: string;
  actor?: string;
  target?: string;
  from?: string;
  to?: string;
  reference?: string;
}

const PAGE = 500;
const SHOWN = 50;
const COLUMNS = ['seq', 'at', 'type', 'actor', 'target', 'network', 'device'];

function witness(value: string, before: Witness[] = []): Witness[] {
  const [, seq, mac] = /^(\d+):([\w-]+)$/.exec(value) ?? [];
  if (seq === undefined || mac === undefined) throw new InvalidArgumentError('must be <seq>:<mac>, as in the log');
  return [...before, { seq: Number(seq), mac }];
}

const inWords = ({ actor, target, ...rest }: AuditEntry) => ({
  ...rest,
  actor: [actor.kind, actor.id ?? ''].join(' ').trim(),
  target: [target.kind, target.id ?? ''].join(' ').trim(),
});

const withFilters = (command: Command): Command =>
  command
    .option('--type <type>', 'only of this kind, such as sign_in')
    .option('--actor <who>', 'only by this person (e-mail or sub) or client')
    .option('--target <who>', 'only to this person (e-mail or sub) or client')
    .option('--reference <code>', 'only what the foot of an error page names')
    .option('--from <time>', 'from then on (ISO 8601)')
    .option('--to <time>', 'before then (ISO 8601)');

/** `audit list|export|verify`. */
export function auditCommands(program: Command, session: Session, output: Output): void {
  const audit = program.command('audit').description('The record of what happened.');

  withFilters(audit.command('list').description('The newest records.'))
    .option('--limit <count>', 'how many', Number, SHOWN)
    .option('--json', 'print one JSON document')
    .action(({ limit, json, ...filters }: Filters & { limit: number; json?: boolean }) =>
      session(async (backstage) => {
        const { items } = await backstage.audit.search({ ...(await readPeople(backstage, filters)), limit });
        output.many(json ? items.map((entry) => ({ ...entry })) : items.map(inWords), COLUMNS, { json });
      }),
    );

  withFilters(audit.command('export').description('All records as JSON lines, newest first.')).action(
    (filters: Filters) =>
      session(async (backstage) => {
        const search: AuditSearch = { ...(await readPeople(backstage, filters)), limit: PAGE };
        for (let after: string | undefined, more = true; more; more = after !== undefined) {
          const page = await backstage.audit.search({ ...search, after });
          for (const entry of page.items) process.stdout.write(`${JSON.stringify(entry)}\n`);
          after = page.next;
        }
      }),
  );

  audit
    .command('verify')
    .description('Find out whether records were altered, removed or cut off. Fails where they were.')
    .option('--head <seq:mac>', 'a head of the chain that the log holds; may be repeated', witness)
    .option('--json', 'print one JSON document')
    .action(({ head = [], ...options }: { head?: Witness[]; json?: boolean }) =>
      session(async (backstage) => {
        const { problems, last, ...verdict } = await backstage.audit.verify(head);
        output.one(
          {
            ...verdict,
            last: options.json ? last : last && `${last.seq}:${last.mac}`,
            problems: options.json ? problems : problems.map(({ seq, problem }) => `${seq}: ${problem}\n`),
          },
          options,
        );
        if (!verdict.ok) throw conflict('the record is not whole');
      }),
    );
}
