/** People taken over from files and given out, as admins do it. Rows are read and written as a stream: memory does not grow with their number. */
import type { Readable } from 'node:stream';
import type { Moving, RowOutcome } from '../accounts/moving/moving.ts';
import type { FileFormat, ReadRow } from '../accounts/moving/read.ts';
import { ADMIN_ROLE } from '../accounts/role.ts';
import type { Audit } from '../audit/audit.ts';
import { mustHave } from './principal.ts';
import type { Principal } from './principal.ts';

export interface ImportOptions {
  format: FileFormat;
  /** Everything is looked at, nothing written. */
  dry_run?: boolean | undefined;
  /** Rows up to this line were taken over by an earlier run. */
  after_line?: number | undefined;
  /**
   * Told of each batch once it is durable: how far it is by now, and the bad rows of the batch, all of them. The next batch waits
   * for it; what it throws ends the run.
   */
  heard?: (report: ImportReport, faults: ImportFault[]) => void | Promise<void>;
}

/** A bad row: where it begins in the file, and what is wrong with it, without its values. */
export interface ImportFault {
  line: number;
  reason: string;
}

export interface ImportReport {
  imported: number;
  /** Were there already, as after an earlier run. */
  exists: number;
  bad: number;
  /** The last line that was looked at: where a run that is cut off goes on from. */
  last_line: number;
  dry_run: boolean;
  /** Which rows are bad, and why, without their values; the first ones. */
  faults: ImportFault[];
  /** There were more. */
  more_faults: boolean;
}

export interface PeopleMoving {
  /** Takes a file over; a bad row keeps none of the others back. @throws invalid_input where it cannot be understood from some line on. */
  importPeople(by: Principal, file: Readable, options: ImportOptions): Promise<ImportReport>;
  /** Everybody, in the form that `importPeople` takes; nothing in it is run by a spreadsheet. @throws forbidden for hashes. */
  exportPeople(
    by: Principal,
    options: { format: FileFormat; with_password_hashes?: boolean | undefined },
  ): Promise<Readable>;
}

const MOST_FAULTS = 1000;
const EVERYBODY = { kind: 'system', id: null } as const;

interface Needs {
  moving: Moving;
  audit: Pick<Audit, 'act'>;
}

const makesAdmin = ({ value }: ReadRow): boolean => {
  const { roles } = (value ?? {}) as { roles?: unknown };
  return Array.isArray(roles) && roles.includes(ADMIN_ROLE);
};

/** A row may name fields of any length that there are not. */
const LONGEST_REASON = 300;
const faultOf = ({ line, reason = 'is bad' }: RowOutcome): ImportFault => ({
  line,
  reason: reason.slice(0, LONGEST_REASON),
});

async function* checked(by: Principal, rows: AsyncIterable<ReadRow>, after: number): AsyncGenerator<ReadRow> {
  for await (const row of rows) {
    if (row.line <= after) continue;
    // Nobody hands out more than they have.
    if (makesAdmin(row) && !by.may('admins:write'))
      yield { line: row.line, fault: `the role ${ADMIN_ROLE} makes an admin: that takes the scope admins:write` };
    else yield row;
  }
}

export function createPeopleMoving({ moving, audit }: Needs): PeopleMoving {
  return {
    async importPeople(by, file, { format, dry_run = false, after_line = 0, heard }) {
      const { readRows } = await import('../accounts/moving/read.ts');
      const report: ImportReport = {
        imported: 0,
        exists: 0,
        bad: 0,
        last_line: after_line,
        dry_run,
        faults: [],
        more_faults: false,
      };
      try {
        const rows = checked(by, readRows(file, format), after_line);
        for await (const outcomes of moving.importPeople(rows, { dryRun: dry_run })) {
          const faults = outcomes.filter(({ outcome }) => outcome === 'bad').map(faultOf);
          for (const { outcome } of outcomes) report[outcome] += 1;
          report.last_line = outcomes.at(-1)!.line;
          report.more_faults ||= report.faults.length + faults.length > MOST_FAULTS;
          report.faults.push(...faults.slice(0, MOST_FAULTS - report.faults.length));
          await heard?.(report, faults);
        }
      } finally {
        // Also of what came before a connection broke.
        if (!dry_run && report.last_line > after_line)
          await audit.act('people_imported', EVERYBODY, {
            imported: String(report.imported),
            bad: String(report.bad),
            last_line: String(report.last_line),
          });
      }
      return report;
    },

    async exportPeople(by, { format, with_password_hashes = false }) {
      if (with_password_hashes) mustHave(by, 'admins:write', 'whoever has the hashes may guess passwords');
      const { writeRows } = await import('../accounts/moving/write.ts');
      await audit.act('people_exported', EVERYBODY, { password_hashes: String(with_password_hashes) });
      return writeRows(moving.exportPeople({ withPasswordHash: with_password_hashes }), format);
    },
  };
}
