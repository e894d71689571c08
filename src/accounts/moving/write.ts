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

const CAST = { boolean: String, string: escapeFormula };

/** A table with a line of names. What begins like a formula gets an apostrophe, so that no spreadsheet runs it. */
export const writeTable = (rows: AsyncIterable<object>, columns: string[]): Readable =>
  Readable.from(rows).pipe(stringify({ header: true, columns: columns.map((key) => ({ key })), cast: CAST }));

export function writeRows(rows: AsyncIterable<PersonRow>, format: FileFormat): Readable {
  return format === 'jsonl' ? Readable.from(jsonLines(rows)) : writeTable(cells(rows), COLUMNS);
}
