/** Reads files of people as a stream, one row at a time, whatever their size. */
import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { Info } from 'csv-parse';
import { closest } from 'fastest-levenshtein';
import split from 'split2';
import { invalidInput } from '../../kernel/errors.ts';
import { ADDRESS_FIELDS, ROW_FIELDS } from './row.ts';

export type FileFormat = 'csv' | 'jsonl';

/** One row as it was read, or why it could not be. */
export interface ReadRow {
  /** Where it begins in the file, from 1. */
  line: number;
  value?: unknown;
  fault?: string;
}

const LONGEST_ROW = 1_000_000;
const ADDRESS = 'address.';
export const COLUMNS: string[] = [
  ...ROW_FIELDS.filter((field) => field !== 'address'),
  ...ADDRESS_FIELDS.map((field) => `${ADDRESS}${field}`),
];
const TRUTH = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['false', false],
  ['0', false],
  ['no', false],
]);
const BOOLEANS = new Set(['email_verified', 'phone_number_verified']);

/** What stands for bytes that are no UTF-8: nobody's name has it, but a file that was saved in another encoding. */
const NO_UTF8 = '\uFFFD';
const BROKEN = { fault: 'is not in UTF-8' };

function parseJson(text: string): Omit<ReadRow, 'line'> {
  if (text.includes(NO_UTF8)) return BROKEN;
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    // The parser's own words quote what is there.
    return { fault: 'is no JSON' };
  }
}

async function* readJsonLines(file: Readable): AsyncGenerator<ReadRow> {
  const lines = pipeline(file, split({ maxLength: LONGEST_ROW }), () => undefined);
  let line = 0;
  try {
    for await (const text of lines as AsyncIterable<string>) {
      line += 1;
      if (text.trim() !== '') yield { line, ...parseJson(line === 1 ? text.replace(/^\uFEFF/, '') : text) };
    }
  } catch (error) {
    if (error instanceof Error && error.message === 'maximum buffer reached')
      throw invalidInput(`line ${line + 1} is longer than ${LONGEST_ROW} characters`);
    throw error;
  }
}

/** @throws invalid_input naming a column that no person has, and the nearest one. */
function checkColumns(header: string[]): string[] {
  const columns = header.map((name) => name.trim());
  const unknown = columns.find((name) => !COLUMNS.includes(name));
  if (unknown !== undefined)
    throw invalidInput(`the column ${unknown} is unknown; the nearest is ${closest(unknown, COLUMNS)}`, unknown);
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) throw invalidInput(`there are two columns ${twice}`, twice);
  if (!columns.includes('email')) throw invalidInput('there is no column email', 'email');
  return columns;
}

/** What a spreadsheet would take for a formula has one apostrophe more before it in our files. */
const FORMULA = /^'*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/;
export const escapeFormula = (cell: string): string => (FORMULA.test(cell) ? `'${cell}` : cell);
const unescapeFormula = (cell: string): string => (cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell);

function valueOf(columns: string[], cells: string[]): unknown {
  const row: Record<string, unknown> = {};
  const address: Record<string, string> = {};
  for (const [index, column] of columns.entries()) {
    const cell = unescapeFormula(cells[index]!);
    if (cell === '') continue;
    if (column === 'roles' || column === 'groups') row[column] = cell.split(/\s+/).filter(Boolean);
    else if (BOOLEANS.has(column)) row[column] = TRUTH.get(cell.toLowerCase()) ?? cell;
    else if (column.startsWith(ADDRESS)) address[column.slice(ADDRESS.length)] = cell;
    else row[column] = cell;
  }
  return Object.keys(address).length === 0 ? row : { ...row, address };
}

/** What stands between cells: spreadsheets write it as their language has it. */
const DELIMITERS = [',', ';', '\t'];
const LONGEST_HEADER = 64 * 1024;

/** Looks at the first line, in which no name has any of them. @returns what stands between cells, and all of the file. */
async function withDelimiter(file: Readable): Promise<{ delimiter: string; all: Readable }> {
  const chunks = file[Symbol.asyncIterator]() as AsyncIterator<Buffer | string>;
  const head: (Buffer | string)[] = [];
  let text = '';
  while (!text.includes('\n') && text.length < LONGEST_HEADER) {
    const next = await chunks.next();
    if (next.done) break;
    head.push(next.value);
    text += next.value.toString();
  }
  const [line] = text.split('\n', 1);
  const delimiter = DELIMITERS.find((one) => line!.includes(one)) ?? ',';
  async function* whole() {
    yield* head;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  return { delimiter, all: Readable.from(whole(), { highWaterMark: 1 }) };
}

async function* readCsv(file: Readable): AsyncGenerator<ReadRow> {
  const { delimiter, all } = await withDelimiter(file);
  const parser = parse({ bom: true, info: true, relax_column_count: true, max_record_size: LONGEST_ROW, delimiter });
  const records = pipeline(all, parser, () => undefined) as AsyncIterable<{ record: string[]; info: Info }>;
  let columns: string[] | undefined;
  let read = 0;
  try {
    for await (const { record: cells, info } of records) {
      const line = read + 1;
      read = info.lines;
      if (!columns) columns = checkColumns(cells);
      else if (cells.every((cell) => cell === '')) continue;
      else if (cells.some((cell) => cell.includes(NO_UTF8))) yield { line, ...BROKEN };
      else if (cells.length === columns.length) yield { line, value: valueOf(columns, cells) };
      else yield { line, fault: `has ${cells.length} cells where the first line has ${columns.length}` };
    }
  } catch (error) {
    if (error instanceof CsvError) throw invalidInput(`this is no CSV: ${error.message}`);
    throw error;
  }
}

/** @throws invalid_input where a file cannot be understood from some line on. */
export const readRows = (file: Readable, format: FileFormat): AsyncGenerator<ReadRow> =>
  format === 'csv' ? readCsv(file) : readJsonLines(file);
