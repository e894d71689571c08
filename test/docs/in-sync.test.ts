import { existsSync, readFileSync } from 'node:fs';
import { globSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { commandLine, generatedFiles, ROOT } from '../../scripts/docs.ts';
import { configKeys } from '../../src/config/keys.ts';

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const pages = globSync('{*.md,{config,docs,examples,bench}/**/*.md}', {
  cwd: ROOT,
  exclude: (name) => name.includes('node_modules'),
});

const withoutCode = (text: string) => text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '');

/** The anchor that GitHub gives a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (file: string) =>
  [
    ...read(file)
      .replace(/^```[^]*?^```/gm, '')
      .matchAll(/^#+ +(.*)$/gm),
  ].map(([, heading]) => anchor(heading!));

/** Links that lead nowhere. */
function broken(page: string): string[] {
  const text = withoutCode(read(page));
  const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(
    ([, link, source]) => (link ?? source)!,
  );
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [target = '', fragment] = link.split('#');
    const file = target === '' ? page : path.join(path.dirname(page), target);
    if (!existsSync(path.join(ROOT, file))) return true;
    return fragment !== undefined && !anchorsOf(file).includes(fragment);
  });
}

/** Command lines in code blocks, lines that go on with a backslash joined. */
function commands(page: string): string[] {
  const blocks = [...read(page).matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block]) => block!.replace(/\\\n\s*/g, ''));
  return blocks.flatMap((block) => block.split('\n')).filter((line) => !line.trimStart().startsWith('#'));
}

const words = (line: string) => [...line.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) => word);

/** What is wrong with a documented call of the command line, or undefined. */
function wrongUse(program: Command, call: string): string | undefined {
  let command = program;
  const rest = words(call);
  while (command.commands.length > 0) {
    const name = rest.shift();
    const next = command.commands.find((one) => one.name() === name);
    if (!next) return `${call}: there is no command ${name}`;
    command = next;
  }
  const unknown = rest.find((word) => word.startsWith('--') && !command.options.some(({ long }) => long === word));
  const missing = command.options.find(
    ({ mandatory, long, short }) => mandatory && !rest.includes(long!) && !rest.includes(short ?? long!),
  );
  if (unknown) return `${call}: there is no option ${unknown}`;
  return missing && `${call}: ${missing.long} is missing`;
}

describe('the documentation', () => {
  it.each(generatedFiles())('$file is as `npm run docs` writes it', ({ file, text }) => {
    expect(existsSync(path.join(ROOT, file)) && read(file)).toBe(text);
  });

  it.each(pages)('%s has no broken link', (page) => {
    expect(broken(page)).toEqual([]);
  });

  it.each(pages.filter((page) => page.startsWith('docs/security/')))('%s names proofs that exist', (page) => {
    const proofs = [...read(page).matchAll(/\[([^\]]+)\]\(([^)]+\.test\.ts)\)/g)];
    const missing = proofs.filter(([, title, file]) => {
      const text = read(path.join(path.dirname(page), file!)).replace(/\s+/g, ' ');
      return !text.includes(title!);
    });
    expect(missing.map(([link]) => link)).toEqual([]);
  });

  it.each(pages)('%s shows commands that exist', (page) => {
    const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
    const program = commandLine();
    const wrong = commands(page).flatMap((line) => {
      const script = /npm run (?:--silent )?([\w:-]+)/.exec(line)?.[1];
      if (script !== undefined && !scripts.includes(script)) return [`there is no npm run ${script}`];
      const call = /(?:gatehouse --|src\/cli\/main\.ts) ([^'<;|&]+)/.exec(line)?.[1];
      return (call === undefined ? undefined : wrongUse(program, call)) ?? [];
    });
    expect(wrong).toEqual([]);
  });

  it.each([...pages, 'compose.yaml', 'Dockerfile'])('%s names settings that exist', (page) => {
    const known = new Set([
      'GATEHOUSE_CONFIG',
      ...configKeys.flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env])),
    ]);
    const named = [...read(page).matchAll(/GATEHOUSE_[A-Z][A-Z_]*[A-Z]/g)].map(([name]) => name);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('explains every command by an example', () => {
    const guides = pages.filter((page) => page.startsWith(path.join('docs', 'operators')));
    const shown = guides.flatMap(commands).join('\n');
    const all = commandLine().commands.flatMap((group) => group.commands.map((one) => `${group.name()} ${one.name()}`));
    expect(all.filter((name) => !shown.includes(`gatehouse -- ${name}`))).toEqual([]);
  });

  it('gives a reason for every dependency', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, object>;
    const text = read('docs/decisions/009-libraries-chosen.md');
    const names = Object.keys({ ...dependencies, ...devDependencies });
    expect(names.filter((name) => !/^@types\/|^@eslint\//.test(name) && !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('finds all that the program imports among what the image installs', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: object };
    const sources = globSync('{src/**/*.ts,scripts/warm-cache.ts}', { cwd: ROOT });
    const imported = sources.flatMap((file) =>
      [...read(file).matchAll(/^(?:import|export) (?!type )[^;]*?from '([^.'][^']*)'|import\('([^.'][^']*)'\)/gm)].map(
        ([, named, late]) => (named ?? late)!,
      ),
    );
    const packages = new Set(
      imported.filter((name) => !name.startsWith('node:')).map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)![0]),
    );
    expect([...packages].filter((name) => !(name in dependencies))).toEqual([]);
  });
});
