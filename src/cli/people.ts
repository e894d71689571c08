import { createReadStream, createWriteStream, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { FileFormat, ReadRow } from '../accounts/moving/read.ts';
import type { RowOutcome } from '../accounts/moving/moving.ts';
import { invalidInput } from '../kernel/errors.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

const EVERYBODY = { kind: 'system', id: null } as const;

interface ImportOptions {
  format?: string;
  dryRun?: boolean;
  restart?: boolean;
  json?: boolean;
}

function formatOf(file: string, named: string | undefined): FileFormat {
  const format = named ?? /\.(csv|jsonl)$/i.exec(file)?.[1] ?? (/\.ndjson$/i.test(file) ? 'jsonl' : undefined);
  const lower = format?.toLowerCase();
  if (lower === 'csv' || lower === 'jsonl') return lower;
  throw invalidInput('say what the file is: --format csv or --format jsonl', 'format');
}

/** Up to which line a file was taken over, beside it, so that a run that was cut off goes on from there. */
function progressOf(file: string) {
  const path = `${file}.progress`;
  return {
    path,
    read(): number {
      try {
        const line = Number((JSON.parse(readFileSync(path, 'utf8')) as { line: unknown }).line);
        if (Number.isSafeInteger(line) && line > 0) return line;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
      }
      throw invalidInput(`${path} is damaged: remove it, or use --restart`);
    },
    write(line: number): void {
      writeFileSync(`${path}.new`, JSON.stringify({ line }));
      renameSync(`${path}.new`, path);
    },
    clear: () => rmSync(path, { force: true }),
  };
}

/** @throws invalid_input where the file system refuses. */
async function withFiles(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    throw syscall === undefined ? error : invalidInput(message);
  }
}

async function* after(line: number, rows: AsyncIterable<ReadRow>): AsyncGenerator<ReadRow> {
  for await (const row of rows) if (row.line > line) yield row;
}

/** Tells of bad rows at once: a file may have more of them than memory holds. */
function tally() {
  const counts = { imported: 0, exists: 0, bad: 0 };
  return {
    counts,
    add({ line, outcome, reason }: RowOutcome): void {
      counts[outcome] += 1;
      if (outcome === 'bad') process.stderr.write(`line ${line}: ${reason}\n`);
    },
  };
}

/** `user import|export`. */
export function peopleCommands(user: Command, session: Session, output: Output): void {
  user
    .command('import <file>')
    .description('Take people over from a file (- for standard input); bad rows are named and left out.')
    .option('--format <format>', 'csv or jsonl, where the name of the file does not say')
    .option('--dry-run', 'look at everything, write nothing')
    .option('--restart', 'begin at the first line, where an earlier run was cut off')
    .option('--json', 'print one JSON document')
    .action(async (file: string, options: ImportOptions) => {
      const { readRows } = await import('../accounts/moving/read.ts');
      const format = formatOf(file, options.format);
      const progress = file === '-' || options.dryRun ? undefined : progressOf(file);
      const begun = options.restart ? 0 : (progress?.read() ?? 0);
      if (begun > 0) process.stderr.write(`going on after line ${begun}; --restart begins at the first\n`);
      const { counts, add } = tally();
      await session(({ moving, audit }) =>
        withFiles(async () => {
          const rows = after(begun, readRows(file === '-' ? process.stdin : createReadStream(file), format));
          for await (const outcomes of moving.importPeople(rows, { dryRun: options.dryRun ?? false })) {
            outcomes.forEach(add);
            progress?.write(outcomes.at(-1)!.line);
          }
          if (options.dryRun) return;
          await audit.act('people_imported', EVERYBODY, { imported: String(counts.imported), bad: String(counts.bad) });
        }),
      );
      progress?.clear();
      output.one({ ...counts, ...(options.dryRun ? { dry_run: true } : {}) }, options);
      if (counts.bad > 0) throw invalidInput(`${counts.bad} row(s) were not taken over`);
    });

  user
    .command('export [file]')
    .description('Write everybody to a file, or to standard output, in the form that import takes.')
    .option('--format <format>', 'csv or jsonl (the default)')
    .option('--with-password-hashes', 'with the hashes of passwords, for moving to another system')
    .action(async (file: string | undefined, options: { format?: string; withPasswordHashes?: boolean }) => {
      const { writeRows } = await import('../accounts/moving/write.ts');
      const format = file === undefined ? formatOf('.jsonl', options.format) : formatOf(file, options.format);
      await session(({ moving, audit }) =>
        withFiles(async () => {
          const rows = moving.exportPeople({ withPasswordHash: options.withPasswordHashes ?? false });
          if (file === undefined) await pipeline(writeRows(rows, format), process.stdout, { end: false });
          else await pipeline(writeRows(rows, format), createWriteStream(file, { mode: 0o600, flags: 'wx' }));
          await audit.act('people_exported', EVERYBODY, {
            password_hashes: String(options.withPasswordHashes ?? false),
          });
        }),
      );
    });
}
