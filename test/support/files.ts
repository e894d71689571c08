/** Resources as files, applied to a running Gatehouse as the command does. */
import { fileKinds } from '../../src/assemble-files.ts';
import type { Env } from '../../src/files/references.ts';
import { carryOut, planFor } from '../../src/files/reconcile.ts';
import type { Outcome } from '../../src/files/reconcile.ts';
import type { Step } from '../../src/files/kind.ts';
import { FilesError } from '../../src/files/problem.ts';
import { exportAll } from '../../src/files/write.ts';
import type { Running } from './gatehouse.ts';

interface Options {
  prune?: boolean;
  env?: Env;
  folder?: string;
}

export const planOf = (
  gatehouse: Running,
  text: string,
  { prune = false, env = {}, folder = '.' }: Options = {},
): Promise<Step[]> => planFor([{ name: 'all.yaml', folder, text }], fileKinds(gatehouse, env), { prune });

export async function apply(gatehouse: Running, text: string, options?: Options): Promise<Outcome> {
  const outcome = await carryOut(await planOf(gatehouse, text, options));
  if (outcome.failed) throw outcome.failed.error;
  return outcome;
}

export const exported = (gatehouse: Running): Promise<string> => exportAll(fileKinds(gatehouse, {}));

/** Every problem, as `where: message`; what was to be refused and was not fails. */
export async function problemsOf(gatehouse: Running, text: string, options?: Options): Promise<string[]> {
  try {
    await planOf(gatehouse, text, options);
  } catch (error) {
    if (error instanceof FilesError) return error.problems.map(({ where, message }) => `${where}: ${message}`);
    throw error;
  }
  throw new Error('nothing speaks against it');
}

export const inShort = (steps: Step[]): string[] =>
  steps.map(({ act, kind, id, changes }) => `${act} ${kind} ${id}: ${changes.map(({ field }) => field).join(' ')}`);
