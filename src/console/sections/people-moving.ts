/** People in files: taken over from one that is uploaded, and given out. What became of an import is told on a page of its own. */
import type { FileFormat } from '../../accounts/moving/read.ts';
import type { ImportRun, ImportRuns } from '../../administration/import-runs.ts';
import type { PeopleMoving } from '../../administration/moving.ts';
import { field } from '../../http/body.ts';
import { uploadedFile } from '../../http/upload.ts';
import type { UploadedFile } from '../../http/upload.ts';
import { datesIn } from '../../kernel/dates.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Visit } from '../../visits/visit.ts';
import { keptOf, valuesOf } from '../forms.ts';
import type { Control, Values, Wrong } from '../forms.ts';
import { asked, oneOf } from '../lists.ts';
import { principalOf } from '../place.ts';

export interface MovingNeeds {
  peopleMoving: Pick<PeopleMoving, 'exportPeople'>;
  importRuns: ImportRuns;
}

/** Where both are done. */
export const MOVING = '/people/import';
const EXPORT = '/people/export';
const FORMATS = ['csv', 'jsonl'] as const;
const TYPES: Record<FileFormat, string> = { csv: 'text/csv', jsonl: 'application/x-ndjson' };
const ENDINGS: [RegExp, FileFormat][] = [
  [/\.csv$/i, 'csv'],
  [/\.(?:jsonl|ndjson)$/i, 'jsonl'],
];
const MOST_LINES = 12;

const FORMAT_OPTIONS = FORMATS.map((value) => ({ value, key: `console.moving.format.${value}` }));
/** The file comes last: what is to be done with it is known by then. */
const CONTROLS: Control[] = [
  {
    name: 'what',
    kind: 'select',
    label: 'console.moving.what',
    hint: 'console.moving.what_hint',
    options: ['check', 'import'].map((value) => ({ value, key: `console.moving.${value}` })),
  },
  {
    name: 'format',
    kind: 'select',
    label: 'console.moving.format.label',
    optional: true,
    options: [{ value: '', key: 'console.moving.format.by_name' }, ...FORMAT_OPTIONS],
  },
  {
    name: 'after_line',
    kind: 'text',
    label: 'console.moving.after_line',
    hint: 'console.moving.after_line_hint',
    optional: true,
  },
  {
    name: 'file',
    kind: 'file',
    label: 'console.moving.file',
    hint: 'console.moving.file_hint',
    accept: '.csv,.jsonl,.ndjson,text/csv,application/x-ndjson',
  },
];
const GROUPS = [{ heading: null, controls: CONTROLS }];
const EXPORT_CONTROLS: Control[] = [
  { name: 'export_format', kind: 'select', label: 'console.moving.format.label', options: FORMAT_OPTIONS },
  {
    name: 'export_hashes',
    kind: 'tick',
    label: 'console.moving.hashes',
    hint: 'console.moving.hashes_hint',
    optional: true,
  },
];

const formatOf = ({ name, type }: UploadedFile, said: string): FileFormat | undefined =>
  oneOf(said, FORMATS) ??
  ENDINGS.find(([ending]) => ending.test(name))?.[1] ??
  FORMATS.find((format) => TYPES[format] === type);

/** What a form says, or what is wrong with it. */
function askedFor(values: Values, file: UploadedFile | undefined) {
  const { what, format = '', after_line = '' } = values;
  const wrong = (name: string, problem: string): { wrong: Wrong } => ({
    wrong: { field: name, key: `console.moving.problem.${problem}` },
  });
  if (after_line.length > MOST_LINES || !/^\d*$/.test(after_line)) return wrong('after_line', 'after_line');
  // A browser sends a part without a name where no file was chosen.
  if (!file || file.name === '') return wrong('file', 'no_file');
  const known = formatOf(file, format);
  if (!known) return wrong('format', 'format');
  return { file, options: { format: known, dry_run: what !== 'import', after_line: Number(after_line) } };
}

/** The way from a run to the next: to import what was checked, or to go on where it ended. */
function nextOf({ state, report: { dry_run, last_line } }: ImportRun): Record<string, string> | undefined {
  if (state === 'done') return dry_run ? { what: 'import' } : undefined;
  return state === 'running' ? undefined : { what: dry_run ? 'check' : 'import', after_line: String(last_line) };
}

/** A run, as pages show it. */
function shownRun(desk: Desk, run: ImportRun, tag: string, zone: string | undefined) {
  const { id, file, state, report, reason, began_at } = run;
  const next = nextOf(run);
  return {
    ...report,
    file,
    state,
    reason,
    began: datesIn(tag, zone).moment(began_at),
    more: report.bad - report.faults.length,
    url: desk.url(`${MOVING}/${id}`),
    faults_url: desk.url(`${MOVING}/${id}/faults`),
    next_url: next ? `${desk.url(MOVING)}?${new URLSearchParams(next).toString()}` : null,
  };
}

async function show(desk: Desk, visit: Visit, { importRuns }: MovingNeeds, values: Values, wrong?: Wrong) {
  const last = await importRuns.last(principalOf(visit));
  await desk.show(
    visit,
    'people-import',
    (t, { tag }) => ({
      last: last ? shownRun(desk, last, tag, visit.account.claims.zoneinfo) : null,
      controls: CONTROLS,
      export_controls: EXPORT_CONTROLS,
      values,
      problem: wrong ? { field: wrong.field, text: t(wrong.key!), plain: false } : null,
      action: desk.url(MOVING),
      export_action: desk.url(EXPORT),
      list_url: desk.url('/people'),
    }),
    { status: wrong ? 400 : 200 },
  );
}

async function showRun(desk: Desk, visit: Visit, { importRuns }: MovingNeeds): Promise<void> {
  const run = await importRuns.get(principalOf(visit), parameterOf(visit, 'run'));
  await desk.show(
    visit,
    'people-imported',
    (_t, { tag }) => ({
      run: shownRun(desk, run, tag, visit.account.claims.zoneinfo),
      back_url: desk.url(MOVING),
      people_url: desk.url('/people'),
    }),
    { title: [`console.moving.title.${run.report.dry_run ? 'check' : 'import'}`, { file: run.file }] },
  );
}

export function addMoving(desk: Desk, needs: MovingNeeds): void {
  const { peopleMoving, importRuns } = needs;
  const terms = { strong: true, back: MOVING };

  desk.get(
    MOVING,
    (visit) => {
      const line = asked(visit.ctx, 'after_line');
      return show(desk, visit, needs, {
        what: oneOf(asked(visit.ctx, 'what'), ['import']) ?? 'check',
        after_line: /^\d{1,12}$/.test(line) ? line : '',
        ...desk.draft(visit, MOVING),
      });
    },
    { strong: true },
  );
  desk.upload(
    MOVING,
    async (visit) => {
      const values = valuesOf(visit.ctx, GROUPS);
      const said = askedFor(values, uploadedFile(visit.ctx));
      if ('wrong' in said) return show(desk, visit, needs, values, said.wrong);
      const id = await importRuns.run(principalOf(visit), said.file, said.options);
      visit.ctx.status = 303;
      visit.ctx.redirect(desk.url(`${MOVING}/${id}`));
    },
    { ...terms, keep: keptOf(GROUPS).filter((name) => name !== 'file') },
  );
  desk.get(`${MOVING}/:run`, (visit) => showRun(desk, visit, needs));
  desk.get(`${MOVING}/:run/faults`, async (visit) => {
    const by = principalOf(visit);
    const { id } = await importRuns.get(by, parameterOf(visit, 'run'));
    const { writeTable } = await import('../../accounts/moving/write.ts');
    send(visit, 'bad-rows.csv', TYPES.csv, writeTable(importRuns.faults(by, id), ['line', 'reason']));
  });
  desk.post(
    EXPORT,
    async (visit) => {
      const format = oneOf(field(visit.ctx, 'export_format'), FORMATS) ?? 'jsonl';
      const with_password_hashes = field(visit.ctx, 'export_hashes') === 'yes';
      const file = await peopleMoving.exportPeople(principalOf(visit), { format, with_password_hashes });
      send(visit, `people.${format}`, TYPES[format], file);
    },
    terms,
  );
}

function send({ ctx }: Visit, name: string, type: string, body: NodeJS.ReadableStream): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.attachment(name);
  ctx.type = `${type}; charset=utf-8`;
  ctx.body = body;
}
