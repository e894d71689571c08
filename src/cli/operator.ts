/** Who runs a command, as the record of what happened names them: whoever may run commands could also say otherwise. */
import { userInfo } from 'node:os';
import path from 'node:path';
import type { Operator } from '../audit/audit.ts';
import { STDIN, STDIN_NAME } from '../files/load.ts';

const MOST = 64;
const MOST_FILES = 200;
const ODD = /[^\p{L}\p{N}_.@\\$+-]/gu;

const cleaned = (name: string | undefined): string | undefined => name?.replace(ODD, '').slice(0, MOST) || undefined;

/** Undefined where the system knows no name for the user, as in some containers. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** @returns such as `ada`, or `ada as root` by way of sudo. */
export function operatorNow(env: NodeJS.ProcessEnv = process.env, user = userName()): Operator {
  const [name, before] = [cleaned(user), cleaned(env['SUDO_USER'])];
  const both = before !== undefined && before !== name ? `${before} as ${name ?? 'another'}` : name;
  return { name: both ?? null, detail: {} };
}

/** What is told of the files that a command was given: their names, without the way to them. */
export const namesOfFiles = (files: string[]): string =>
  files
    .map((file) => (file === STDIN ? STDIN_NAME : path.basename(path.resolve(file))))
    .join(', ')
    .replace(/\p{Cc}/gu, '')
    .slice(0, MOST_FILES);
