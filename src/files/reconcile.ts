/** What is to be done so that what runs is what the files say, and doing it. */
import type { AnyKind, Change, Outlook, Plan, Step } from './kind.ts';
import { parseEntries } from './parse.ts';
import type { Wanted } from './parse.ts';
import { FilesError } from './problem.ts';
import { readSource } from './read.ts';
import type { Source } from './read.ts';

/** A step for people and programs. */
export interface ShownStep {
  act: Step['act'];
  kind: string;
  id: string;
  name?: string | undefined;
  changes: Change[];
  notes: string[];
}

export const shownStep = ({ act, kind, id, name, changes, notes }: Step): ShownStep => ({
  act,
  kind,
  id,
  ...(name === undefined ? {} : { name }),
  changes,
  notes,
});

const comingOf = (wanted: Wanted): Outlook['coming'] =>
  new Map(
    [...wanted].map(([kind, items]) => [kind.name, new Set(items.flatMap((item) => kind.names?.(item.wanted) ?? []))]),
  );

/**
 * @param kinds in the order in which they are made: what others name comes first. They are removed in the reverse one.
 * @param prune what no file names is removed, but for what is Gatehouse's own or registered itself.
 * @throws FilesError with all that speaks against the files.
 */
export async function planFor(sources: Source[], kinds: AnyKind[], { prune }: { prune: boolean }): Promise<Step[]> {
  const read = sources.map(readSource);
  const { wanted, problems } = parseEntries(
    read.flatMap(({ entries }) => entries),
    kinds,
  );
  problems.unshift(...read.flatMap((one) => one.problems));
  // What else is wrong would be guesswork.
  if (problems.length > 0) throw new FilesError(problems);
  const outlook: Outlook = { coming: comingOf(wanted), going: new Map() };
  const plans: Plan[] = [];
  for (const kind of kinds) {
    const plan = await kind.plan(wanted.get(kind)!, { prune, outlook });
    outlook.going.set(kind.name, new Set(plan.steps.filter(({ act }) => act === 'remove').flatMap(namesOfRemoved)));
    plans.push(plan);
  }
  problems.push(...plans.flatMap((plan) => plan.problems));
  if (problems.length > 0) throw new FilesError(problems);
  const making = plans.flatMap(({ steps }) => steps.filter(({ act }) => act !== 'remove'));
  const removing = plans.toReversed().flatMap(({ steps }) => steps.filter(({ act }) => act === 'remove'));
  return [...making, ...removing];
}

const namesOfRemoved = ({ id, aliases = [] }: Step): string[] => [id, ...aliases];

export interface Outcome {
  done: Step[];
  /** The first that did not work, and why; those after it were not tried. */
  failed?: { step: Step; error: unknown };
}

/** Does what a plan says, one after the other, up to the first that fails. Planned and done again, the rest follows. */
export async function carryOut(steps: Step[]): Promise<Outcome> {
  const done: Step[] = [];
  for (const step of steps) {
    try {
      await step.run();
      done.push(step);
    } catch (error) {
      return { done, failed: { step, error } };
    }
  }
  return { done };
}
