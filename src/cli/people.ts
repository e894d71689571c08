import { once } from 'node:events';
import { createReadStream, createWriteStream, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { FileFormat } from '../accounts/moving/read.ts';
import { OPERATOR } from '../administration/principal.ts';
import { invalidInput } from '../kernel/errors.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

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

async function created(file: string): Promise<WriteStream> {
  const stream = createWriteStream(file, { mode: 0o600, flags: 'wx' });
  await once(stream, 'open');
  return stream;
}

/** @throws invalid_input where the file system refuses. */
async function withFiles<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    throw syscall === undefined ? error : invalidInput(message);
  }
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
      const format = formatOf(file, options.format);
      const progress = file === '-' || options.dryRun ? undefined : progressOf(file);
      const begun = options.restart ? 0 : (progress?.read() ?? 0);
      if (begun > 0) process.stderr.write(`going on after line ${begun}; --restart begins at the first\n`);
      const { imported, exists, bad } = await session(({ peopleMoving }) =>
        withFiles(() =>
          peopleMoving.importPeople(OPERATOR, file === '-' ? process.stdin : createReadStream(file), {
            format,
            dry_run: options.dryRun ?? false,
            after_line: begun,
            heard({ last_line }, faults) {
              // At once: a file may have more of them than memory holds.
              for (const { line, reason } of faults) process.stderr.write(`line ${line}: ${reason}\n`);
              progress?.write(last_line);
            },
          }),
        ),
      );
      progress?.clear();
      output.one({ imported, exists, bad, ...(options.dryRun ? { dry_run: true } : {}) }, options);
      if (bad > 0) throw invalidInput(`${bad} row(s) were not taken over`);
    });

  user
    .command('export [file]')
    .description('Write everybody to a file, or to standard output, in the form that import takes.')
    .option('--format <format>', 'csv or jsonl (the default)')
    .option('--with-password-hashes', 'with the hashes of passwords, for moving to another system')
    .action(async (file: string | undefined, options: { format?: string; withPasswordHashes?: boolean }) => {
      const format = file === undefined ? formatOf('.jsonl', options.format) : formatOf(file, options.format);
      const with_password_hashes = options.withPasswordHashes ?? false;
      await session(({ peopleMoving }) =>
        withFiles(async () => {
          // Before the record of it: a file that is there already is not written over.
          const to = file === undefined ? process.stdout : await created(file);
          const rows = await peopleMoving.exportPeople(OPERATOR, { format, with_password_hashes });
          await pipeline(rows, to, { end: file !== undefined });
        }),
      );
    });
}
