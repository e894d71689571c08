/** People in files: taken over and given out, as a stream. */
import { z } from 'zod';
import { ApiProblem } from '../problems.ts';
import { route } from '../route.ts';
import { name } from '../schemas.ts';

const CSV = 'text/csv';
const JSON_LINES = 'application/x-ndjson';
const tag = 'People in files';
const TRUTH: Record<string, boolean> = { true: true, false: false };
const flag = z.preprocess((value) => TRUTH[String(value)] ?? value, z.boolean()).optional();
const line = z
  .preprocess(
    (value) => (typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value),
    z.int().min(0),
  )
  .optional();

export const importReport = name(
  'ImportReport',
  z.object({
    imported: z.int(),
    exists: z.int().meta({ description: 'Were there already, as after an earlier run.' }),
    bad: z.int(),
    last_line: z.int().meta({ description: 'The last line that was looked at.' }),
    dry_run: z.boolean(),
    faults: z.array(z.object({ line: z.int(), reason: z.string() })),
    more_faults: z.boolean().meta({ description: 'There were more than the first 1,000.' }),
  }),
);

export const movingRoutes = [
  route({
    id: 'importUsers',
    method: 'POST',
    path: '/user-imports',
    scope: 'users:write',
    tag,
    summary: 'Take people over from a file, as CSV or JSON lines; bad rows are named and left out',
    description:
      'The body is read as a stream. What was cut off is sent again: rows that were taken over are then `exists`, or are skipped by `after_line`.',
    query: z.strictObject({
      dry_run: flag.meta({ description: 'Look at everything, write nothing.' }),
      after_line: line.meta({ description: 'Skip rows up to this line.' }),
    }),
    takes: [CSV, JSON_LINES],
    answer: { status: 200, schema: importReport },
    async run({ peopleMoving }, { by, query, file }) {
      if (!file) throw new ApiProblem({ name: 'unsupported_media_type' });
      const format = file.type === CSV ? 'csv' : 'jsonl';
      return { body: await peopleMoving.importPeople(by, file.stream, { format, ...query }) };
    },
  }),
  route({
    id: 'exportUsers',
    method: 'GET',
    path: '/user-exports',
    scope: 'users:read',
    tag,
    summary: 'Everybody in one file, in the form that imports take',
    query: z.strictObject({
      format: z.enum(['csv', 'jsonl']).optional().meta({ description: '`jsonl` unless given.' }),
      with_password_hashes: flag.meta({
        description: 'For moving to another system; takes the scope `admins:write` too.',
      }),
    }),
    gives: [CSV, JSON_LINES],
    answer: { status: 200 },
    async run({ peopleMoving }, { by, query: { format = 'jsonl', with_password_hashes } }) {
      const stream = await peopleMoving.exportPeople(by, { format, with_password_hashes });
      return { file: { stream, type: format === 'csv' ? CSV : JSON_LINES, name: `people.${format}` } };
    },
  }),
];
