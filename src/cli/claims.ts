import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { OPERATOR } from '../administration/principal.ts';
import type { TableView } from '../administration/claim-tables.ts';
import { invalidInput } from '../kernel/errors.ts';
import type { ClaimRule } from '../roles/claim-rules.ts';
import { DEFAULT_TABLE } from '../roles/role.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

interface Json {
  json?: boolean;
}

const COLUMNS = ['row', 'claim', 'source', 'shape', 'when', 'into'];
const STDIN = 0;

const shown = ({ claim, source, field, value, shape, prefix, when, into }: ClaimRule, index: number) => ({
  row: String(index + 1),
  claim: claim.join(' > '),
  source: [source, field, value === undefined ? undefined : JSON.stringify(value)].filter(Boolean).join(' '),
  shape: [shape, prefix === undefined ? undefined : `prefix ${prefix}`].filter(Boolean).join(', '),
  when: Object.entries(when ?? {}).map(([name, wanted]) => `${name}=${wanted}`),
  into,
});

function show(output: Output, { table, rules }: TableView, options: Json): void {
  if (options.json) output.one({ table, rules }, options);
  else output.many(rules.map(shown), COLUMNS, options);
}

/** @throws invalid_input where it is no list of rows; what is wrong with a row the rules say. */
function readRules(file: string): ClaimRule[] {
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(file === '-' ? STDIN : file, 'utf8'));
  } catch (error) {
    throw invalidInput(`${file} cannot be read as JSON: ${(error as Error).message}`, 'file');
  }
  const rules: unknown = Array.isArray(read) ? read : (read as { rules?: unknown } | null)?.rules;
  const isRow = (row: unknown) =>
    typeof row === 'object' &&
    row !== null &&
    Array.isArray((row as ClaimRule).claim) &&
    Array.isArray((row as ClaimRule).into);
  if (!Array.isArray(rules) || !rules.every(isRow))
    throw invalidInput(`${file} must hold a list of rows, each with the lists claim and into`, 'file');
  return rules as ClaimRule[];
}

/** `claims list|show|set`. A table is named by the client id; the one for every app is `_default`. */
export function claimCommands(program: Command, session: Session, output: Output): void {
  const claims = program
    .command('claims')
    .description('In which shape apps learn of people: roles, groups, permissions and more, by claim tables.');

  claims
    .command('list')
    .description('The claim tables that have rows.')
    .option('--json', 'print one JSON document')
    .action((options: Json) =>
      session(async ({ claimTables }) => {
        const all = await claimTables.list();
        output.many(
          all.map(({ table, rules }) => ({ table, rows: String(rules.length), rules })),
          ['table', 'rows'],
          options,
        );
      }),
    );

  claims
    .command('show [client_id]')
    .description('The rows for one app; without its id, those for every app.')
    .option('--json', 'print one JSON document')
    .action((id: string | undefined, options: Json) =>
      session(async ({ claimTables }) => show(output, await claimTables.get(id ?? DEFAULT_TABLE), options)),
    );

  claims
    .command('set <file> [client_id]')
    .description('Put the rows of a JSON file (- for standard input) in the place of those of an app, or of every app.')
    .option('--json', 'print one JSON document')
    .action((file: string, id: string | undefined, options: Json) =>
      session(async ({ claimTables }) =>
        show(output, await claimTables.set(OPERATOR, id ?? DEFAULT_TABLE, readRules(file)), options),
      ),
    );
}
