/** Writes files of people as a stream that `readRows` understands. */
import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import { COLUMNS, escapeFormula } from './read.ts';
import type { FileFormat } from './read.ts';
import type { PersonRow } from './row.ts';

function cellsOf({
  address = {},
  roles = [],
  groups = [],
  ...rest
}: PersonRow): Record<string, string | boolean | undefined> {
  const parts = Object.entries(address).map(([field, value]) => [`address.${field}`, value]);
  return {
    ...rest,
    roles: roles.join(' '),
    groups: groups.join(' '),
    ...(Object.fromEntries(parts) as Record<string, string>),
  };
}

async function* jsonLines(rows: AsyncIterable<PersonRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}

async function* cells(rows: AsyncIterable<PersonRow>) {
  for await (const row of rows) yield cellsOf(row);
}

/** What begins like a formula gets an apostrophe in CSV, so that no spreadsheet runs it. */
export function writeRows(rows: AsyncIterable<PersonRow>, format: FileFormat): Readable {
  if (format === 'jsonl') return Readable.from(jsonLines(rows));
  const columns = COLUMNS.map((key) => ({ key }));
  const cast = { boolean: String, string: escapeFormula };
  return Readable.from(cells(rows)).pipe(stringify({ header: true, columns, cast }));
}
