type Fields = Record<string, unknown>;

/** How a command shows its result: one JSON document, or lines and tables for people. */
export interface Output {
  /** Beside the result, which programs read: what is worth a second look. */
  warn(messages: string[]): void;
  one(fields: Fields, options: { json?: boolean | undefined }): void;
  /** @param columns what the table shows of each item. */
  many(items: Fields[], columns: string[], options: { json?: boolean | undefined }): void;
}

const cell = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(cell).join(' ');
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

const json = (value: unknown) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
const line = (text: string) => process.stdout.write(`${text.trimEnd()}\n`);

function table(items: Fields[], columns: string[]): void {
  const rows = [columns, ...items.map((item) => columns.map((name) => cell(item[name])))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  for (const row of rows) line(row.map((text, i) => text.padEnd(widths[i]!)).join('  '));
}

export const output: Output = {
  warn(messages) {
    for (const message of messages) process.stderr.write(`warning: ${message}\n`);
  },
  one(fields, options) {
    if (options.json) return void json(fields);
    const shown = Object.entries(fields).filter(([, value]) => cell(value) !== '');
    const width = Math.max(...shown.map(([name]) => name.length));
    for (const [name, value] of shown) line(`${name.padEnd(width)}  ${cell(value)}`);
  },
  many(items, columns, options) {
    if (options.json) json(items);
    else if (items.length === 0) line('none');
    else table(items, columns);
  },
};
