/** Finds the files that are named. */
import { opendirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { invalidInput } from '../kernel/errors.ts';
import type { Source } from './read.ts';
import { sourceOf } from './read.ts';

const LARGEST = 16 * 1024 * 1024;
const EXTENSIONS = ['.yaml', '.yml', '.json'];
export const STDIN = '-';
export const STDIN_NAME = 'standard input';

const WHY: Record<string, string> = {
  ENOENT: 'does not exist, or is a link to nothing',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder',
  ELOOP: 'is a link that leads back to itself',
};

/** @returns why a file cannot be read, for people. */
export const whyUnreadable = (error: unknown): string =>
  WHY[(error as NodeJS.ErrnoException).code ?? ''] ?? 'cannot be read';

/** @throws invalid_input where it is no file, or larger than `largest` bytes. */
export function readWhole(file: string, largest: number): string {
  try {
    const found = statSync(file);
    if (found.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    // Whoever reads a pipe or a device may wait for ever.
    if (!found.isFile()) throw invalidInput(`${file} is not a file`);
    if (found.size > largest) throw invalidInput(`${file} is larger than ${largest} bytes`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'invalid_input') throw error;
    throw invalidInput(`${file} ${whyUnreadable(error)}`);
  }
}

/** Files in a folder and the folders in it, in the order of their names. What begins with a dot is left out. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(full);
    return EXTENSIONS.includes(path.extname(entry.name)) ? [full] : [];
  });
}

function isFolder(file: string): boolean {
  try {
    opendirSync(file).closeSync();
    return true;
  } catch {
    return false;
  }
}

/** @param paths files and folders; `-` is standard input. @throws invalid_input. */
export async function loadSources(paths: string[]): Promise<Source[]> {
  const sources: Source[] = [];
  for (const named of paths) {
    if (named === STDIN) {
      sources.push({ name: STDIN_NAME, folder: process.cwd(), text: await textOf(process.stdin) });
      continue;
    }
    const files = isFolder(named) ? filesIn(named) : [named];
    if (files.length === 0) throw invalidInput(`${named} has no ${EXTENSIONS.join(', ')} files`);
    for (const file of files) sources.push(sourceOf(file, readWhole(file, LARGEST)));
  }
  return sources;
}
