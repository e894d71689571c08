/** What can be wrong with a theme's files, found when they are loaded rather than when a person meets the page. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'acorn';
import ejs from 'ejs';
import { distance } from 'fastest-levenshtein';
import { flatten } from './strings.ts';
import type { Strings } from './strings.ts';
import { included, VIEWS } from './views.ts';

interface Found {
  line: number;
  problem: string;
  /** It is used all the same. */
  usable?: boolean;
}

interface Known {
  /** Names of our templates. */
  builtIn: string[];
  catalogue: Strings;
}

const PLURAL = /_(zero|one|two|few|many|other)$/;
const lineAt = (text: string, index: number) => text.slice(0, index).split('\n').length;
const nearest = (name: string, among: string[]) =>
  among.toSorted((a, b) => distance(name, a) - distance(name, b))[0] ?? '';

const builtInSource = (name: string): string => readFileSync(path.join(VIEWS, `${name}.ejs`), 'utf8');

/** Of a built-in template, short: what an override says it was made from. */
export const revisionOf = (name: string): string =>
  createHash('sha256').update(builtInSource(name)).digest('hex').slice(0, 12);

/** A copy of a built-in template to begin an override with. It says what it was made from. */
export const eject = (name: string): string => `<%# based on ${name} ${revisionOf(name)} -%>\n${builtInSource(name)}`;

/** Where the template's JavaScript breaks: the compiled source notes the lines of the template as it goes. */
function syntaxProblem(text: string): Found | undefined {
  interface Compiled {
    generateSource(): void;
    source: string;
  }
  let compiled: Compiled | undefined;
  try {
    const { Template } = ejs as unknown as { Template: new (text: string, options: object) => Compiled };
    compiled = new Template(text, { filename: 'theme' });
    compiled.generateSource();
    // As the library wraps it.
    parse(compiled.source, { ecmaVersion: 'latest', sourceType: 'script', allowReturnOutsideFunction: true });
    return undefined;
  } catch (error) {
    const { pos = 0, message } = error as Error & { pos?: number };
    const lines = [...(compiled?.source ?? '').slice(0, pos).matchAll(/__line = (\d+)/g)];
    return { line: Number(lines.at(-1)?.[1] ?? 1), problem: message.replace(/ \(\d+:\d+\)$/, '') };
  }
}

function each(text: string, pattern: RegExp, check: (value: string) => string | undefined): Found[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const problem = check(match[1]!);
    return problem === undefined ? [] : [{ line: lineAt(text, match.index), problem }];
  });
}

const hasText = (catalogue: Strings, key: string) =>
  Object.keys(catalogue).some((known) => known === key || known.replace(PLURAL, '') === key);

/** What the template's page is given: all that the built-in one uses. */
const pageMembers = (text: string) =>
  new Set([...text.matchAll(/\bpage\.([A-Za-z_]\w*)/g)].map(([, member]) => member!));

/** @returns what is wrong with a theme's template `name`; nothing where it can take the place of the built-in one. */
export function checkTemplate(name: string, text: string, { builtIn, catalogue }: Known): Found[] {
  if (!builtIn.includes(name))
    return [{ line: 1, problem: `overrides nothing; the nearest template is ${nearest(name, builtIn)}` }];
  const syntax = syntaxProblem(text);
  if (syntax) return [syntax];
  const [, madeFrom] = /^<%# based on \S+ ([0-9a-f]{12}) -?%>/.exec(text) ?? [];
  const outdated = madeFrom !== undefined && madeFrom !== revisionOf(name);
  const members = pageMembers(builtInSource(name));
  return [
    ...(outdated
      ? [
          {
            line: 1,
            usable: true,
            problem: `is outdated: ${name} has changed since; compare it (theme eject) and note ${revisionOf(name)}`,
          },
        ]
      : []),
    ...each(text, /\binclude\(\s*['"]([^'"]+)['"]\s*[,)]/g, (target) =>
      builtIn.includes(included(name, target)) ? undefined : `includes ${target}, which is not there`,
    ),
    ...each(text, /\bt\(\s*['"]([\w.]+)['"]\s*[,)]/g, (key) =>
      hasText(catalogue, key)
        ? undefined
        : `uses the text ${key}, which is not there; is it ${nearest(key, Object.keys(catalogue))}?`,
    ),
    ...each(text, /\bpage\.([A-Za-z_]\w*)/g, (member) =>
      members.has(member) ? undefined : `uses page.${member}, which ${name} is not given`,
    ),
  ];
}

const placeholders = (text: string) => new Set([...text.matchAll(/{{\s*([\w.]+)/g)].map(([, name]) => name!));

/** A theme's texts: those that can be used, and what is wrong with the others. */
export function checkStrings(text: string, catalogue: Strings): { found: Strings; problems: Found[] } {
  let given: Strings;
  try {
    given = flatten(JSON.parse(text) as object);
  } catch (error) {
    const at = Number(/position (\d+)/.exec((error as Error).message)?.[1] ?? text.length);
    return { found: {}, problems: [{ line: lineAt(text, at), problem: 'is not JSON' }] };
  }
  const found: Strings = {};
  const problems: Found[] = [];
  for (const [key, value] of Object.entries(given)) {
    const line = lineAt(text, Math.max(0, text.indexOf(JSON.stringify(key.split('.').at(-1)))));
    const known = catalogue[key];
    const unknown =
      known === undefined ? [] : [...placeholders(value)].filter((name) => !placeholders(known).has(name));
    if (known === undefined)
      problems.push({
        line,
        problem: `changes ${key}, which is not there; is it ${nearest(key, Object.keys(catalogue))}?`,
      });
    else if (unknown.length > 0) problems.push({ line, problem: `${key} has no {{${unknown[0]!}}} to put in` });
    else found[key] = value;
  }
  return { found, problems };
}
