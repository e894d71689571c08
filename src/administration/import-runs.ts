/**
 * Imports that can be read of afterwards: how far each came, and which rows were bad, kept for a day. For doors that answer by another
 * page than the one that took the file, or do not live to answer.
 */
import type { Readable } from 'node:stream';
import type { FileFormat } from '../accounts/moving/read.ts';
import { isoNow } from '../kernel/clock.ts';
import { invalidInput, isGatehouseError, notFound } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { ImportFault, ImportOptions, ImportReport, PeopleMoving } from './moving.ts';
import { mustHave } from './principal.ts';
import type { Principal } from './principal.ts';

export interface ImportRun {
  id: string;
  /** What the file is called. */
  file: string;
  format: FileFormat;
  began_at: string;
  /** When it was last heard of. */
  heard_at: string;
  /** `silent`: nothing was heard of it for a minute, as where the process that read it was ended. */
  state: 'running' | 'silent' | 'done' | 'ended';
  /** Why it ended before its file. */
  reason: string | null;
  /** So far, with the first few bad rows. */
  report: ImportReport;
}

export interface ImportRuns {
  /**
   * Takes a file over, or looks at it, as `importPeople` does; a run ends where more rows are bad than are kept.
   * @returns the id of the run, also where the file could not be read to its end. @throws forbidden, unavailable.
   */
  run(
    by: Principal,
    file: { name: string; stream: Readable },
    options: Pick<ImportOptions, 'format' | 'dry_run' | 'after_line'>,
  ): Promise<string>;
  /** @throws not_found, forbidden. */
  get(by: Principal, id: string): Promise<ImportRun>;
  /** The last run of whoever asks. */
  last(by: Principal): Promise<ImportRun | undefined>;
  /** All bad rows, in their order. @throws not_found, forbidden. */
  faults(by: Principal, id: string): AsyncGenerator<ImportFault>;
}

interface Needs {
  records: Pick<SealedRecords, 'upsert' | 'find'>;
  peopleMoving: Pick<PeopleMoving, 'importPeople'>;
  /** How many bad rows of one run are kept. */
  mostBad?: number;
}

type Kept = ImportRun & { chunks: number };

const RUN = 'PeopleImport';
const FAULTS = 'PeopleImportFaults';
const LAST = 'LastPeopleImport';
const KEPT_SECONDS = 24 * 3600;
const CHUNK = 500;
const SHOWN = 100;
const MOST_BAD = 100_000;
const NAME_MAX = 200;
const NOTED_EVERY_MS = 1000;
const SILENT_MS = 60_000;

const isSilent = ({ state, heard_at }: ImportRun): boolean =>
  state === 'running' && Date.now() - Date.parse(heard_at) > SILENT_MS;

export function createImportRuns({ records, peopleMoving, mostBad = MOST_BAD }: Needs): ImportRuns {
  async function find(id: string): Promise<Kept | undefined> {
    const found = (await records.find(RUN, id)) as Kept | undefined;
    return found && { ...found, state: isSilent(found) ? 'silent' : found.state };
  }

  async function get(by: Principal, id: string): Promise<Kept> {
    mustHave(by, 'users:write', 'this is of an import');
    const found = await find(id);
    if (!found) throw notFound('there is no such import, or it is longer ago than a day');
    return found;
  }

  /** Writes down how a run goes: bad rows by the hundreds, all else about once a second. */
  function notebook(run: Kept) {
    let waiting: ImportFault[] = [];
    let noted = 0;
    const note = async () => {
      noted = Date.now();
      await records.upsert(RUN, run.id, { ...run, heard_at: isoNow() }, KEPT_SECONDS);
    };
    const keep = async (least: number) => {
      while (waiting.length >= least) {
        await records.upsert(FAULTS, `${run.id} ${run.chunks}`, { faults: waiting.slice(0, CHUNK) }, KEPT_SECONDS);
        run.chunks += 1;
        waiting = waiting.slice(CHUNK);
      }
    };
    return {
      note,
      async heard(report: ImportReport, faults: ImportFault[]): Promise<void> {
        run.report = { ...report, faults: report.faults.slice(0, SHOWN) };
        waiting.push(...faults);
        await keep(CHUNK);
        if (Date.now() - noted >= NOTED_EVERY_MS) await note();
        if (report.bad >= mostBad) throw invalidInput(`${report.bad} rows are bad: mend those first`);
      },
      async end(state: ImportRun['state'], reason: string | null = null): Promise<void> {
        await keep(1);
        Object.assign(run, { state, reason });
        await note();
      },
    };
  }

  return {
    async run(by, { name, stream }, { format, dry_run = false, after_line = 0 }) {
      mustHave(by, 'users:write', 'an import makes people');
      const id = newId();
      const now = isoNow();
      const book = notebook({
        id,
        file: name.slice(0, NAME_MAX),
        format,
        began_at: now,
        heard_at: now,
        state: 'running',
        reason: null,
        report: { imported: 0, exists: 0, bad: 0, last_line: after_line, dry_run, faults: [], more_faults: false },
        chunks: 0,
      });
      await book.note();
      await records.upsert(LAST, by.id, { id }, KEPT_SECONDS);
      try {
        await peopleMoving.importPeople(by, stream, { format, dry_run, after_line, heard: book.heard });
      } catch (error) {
        if (!isGatehouseError(error, 'invalid_input')) throw error;
        await book.end('ended', error.message);
        return id;
      }
      await book.end('done');
      return id;
    },
    get,
    async last(by) {
      const id = (await records.find(LAST, by.id))?.['id'];
      return typeof id === 'string' ? find(id) : undefined;
    },
    async *faults(by, id) {
      const { chunks } = await get(by, id);
      for (let chunk = 0; chunk < chunks; chunk += 1) {
        const found = await records.find(FAULTS, `${id} ${chunk}`);
        yield* (found?.['faults'] ?? []) as ImportFault[];
      }
    },
  };
}
