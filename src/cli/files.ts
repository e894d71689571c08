import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { carryOut, planFor, shownStep } from '../files/reconcile.ts';
import { loadSources } from '../files/load.ts';
import type { Change, Step } from '../files/kind.ts';
import { exportAll } from '../files/write.ts';
import { conflict, isGatehouseError } from '../kernel/errors.ts';
import { Ended } from './ended.ts';
import { namesOfFiles } from './operator.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

const DIFFERENT = 2;
const FAILED = 1;
const SIGNS = { create: '+', change: '~', remove: '-' };
/** As CSI takes them; only what files and records hold is shown, and that could hold anything. */
const CONTROL = /\p{Cc}/gu;

const say = (line: string) => process.stdout.write(`${line.replace(CONTROL, ' ')}\n`);

const value = (what: unknown): string => {
  if (what === null) return '(none)';
  return typeof what === 'string' ? what : JSON.stringify(what);
};

const change = ({ field, old, new: now }: Change, { act }: Step): string =>
  act === 'create' ? `${field}: ${value(now)}` : `${field}: ${value(old)} → ${value(now)}`;

const title = ({ act, kind, id, name }: Step): string =>
  `${act} ${kind} ${id}${name === undefined || name === id ? '' : ` (${name})`}`;

function showPlan(steps: Step[]): void {
  for (const step of steps) {
    say(`${SIGNS[step.act]} ${title(step)}`);
    for (const one of step.changes) say(`    ${change(one, step)}`);
    for (const note of step.notes) say(`    ! ${note}`);
  }
}

const count = (steps: Step[]): string => `${steps.length} ${steps.length === 1 ? 'change' : 'changes'}`;

async function agreed(steps: Step[]): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw conflict('nobody is there to ask: say --yes, or --dry-run to only look');
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await asking.question(`Make ${count(steps)}? [y/N] `)).trim());
  } finally {
    asking.close();
  }
}

interface ApplyOptions {
  file: string[];
  dryRun?: boolean;
  prune?: boolean;
  yes?: boolean;
  json?: boolean;
}

const collect = (path: string, before: string[] = []) => [...before, path];

async function apply(steps: Step[], options: ApplyOptions, output: Output): Promise<void> {
  const report = (applied: number, error?: string) => {
    if (options.json)
      output.one({ changes: steps.map(shownStep), applied, ...(error === undefined ? {} : { error }) }, options);
  };
  if (!options.json) showPlan(steps);
  if (steps.length === 0) {
    report(0);
    if (!options.json) say('Nothing to change.');
    return;
  }
  if (options.dryRun) {
    report(0);
    if (!options.json) say(`${count(steps)} to make.`);
    throw new Ended(DIFFERENT);
  }
  if (!options.yes && !(await agreed(steps))) {
    say('Nothing was changed.');
    throw new Ended(FAILED);
  }
  const { done, failed } = await carryOut(steps);
  if (!failed) {
    report(done.length);
    if (!options.json) say(`${count(done)} made.`);
    return;
  }
  if (!isGatehouseError(failed.error)) throw failed.error;
  const why = `${title(failed.step)}: ${failed.error.message}`;
  report(done.length, why);
  process.stderr.write(
    `error: ${why}\n${count(done)} of ${steps.length} made, the others not. Run it again to go on.\n`.replace(
      /[^\P{Cc}\n]/gu,
      ' ',
    ),
  );
  throw new Ended(FAILED);
}

/** `apply` and `export`. */
export function fileCommands(program: Command, session: Session, output: Output): void {
  program
    .command('apply')
    .description('Make what runs the same as files say: shows what it would do, asks, does it.')
    .requiredOption('-f, --file <path>', 'YAML file, folder of them, or - for standard input; may be repeated', collect)
    .option('--dry-run', 'only show it; exit code 0 where there is nothing to do, 2 where there is, 1 for errors')
    .option('--prune', 'remove what no file names, but for what is built in or registered itself')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .action((options: ApplyOptions) =>
      session(async (backstage, operator) => {
        operator.detail = { file: namesOfFiles(options.file) };
        const { fileKinds } = await import('../assemble-files.ts');
        const sources = await loadSources(options.file);
        const prune = options.prune ?? false;
        await apply(await planFor(sources, fileKinds(backstage), { prune }), options, output);
      }),
    );

  program
    .command('export')
    .description('Print everything that apply takes, without secrets. Applying it changes nothing.')
    .option('--kind <kind>', 'only resources of this kind; may be repeated', collect)
    .action((options: { kind?: string[] }) =>
      session(async (backstage) => {
        const { fileKinds } = await import('../assemble-files.ts');
        const all = fileKinds(backstage);
        const unknown = options.kind?.find((name) => !all.some((kind) => kind.name === name));
        if (unknown !== undefined)
          throw conflict(`there is no kind ${unknown}; there are ${all.map(({ name }) => name).join(', ')}`);
        const kinds = all.filter(({ name }) => options.kind?.includes(name) ?? true);
        process.stdout.write(await exportAll(kinds));
      }),
    );
}
