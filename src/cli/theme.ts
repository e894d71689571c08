import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { loadLocales } from '../http/locale.ts';
import { eject } from '../http/theme-check.ts';
import { loadThemes, templateNames } from '../http/themes.ts';
import { duplicate, invalidInput } from '../kernel/errors.ts';
import type { Output } from './output.ts';

/** `theme check|eject`. */
export function themeCommands(program: Command, output: Output): void {
  const theme = program.command('theme').description('Folders that change how pages look and what they say.');

  theme
    .command('check')
    .description('Name every problem of the themes by file and line.')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => {
      const { themes_dir, brand } = loadConfig();
      const { all } = await loadThemes(themes_dir, (await loadLocales()).catalogue, brand.theme);
      const problems = all.flatMap((one) => one.problems);
      if (problems.length > 0)
        throw invalidInput(problems.map(({ file, line, problem }) => `${file}:${line} ${problem}`).join('\n'));
      output.one({ ok: true, themes: all.map(({ name }) => name) }, options);
    });

  theme
    .command('eject <template>')
    .description('Copy a built-in template into a theme, to be changed there.')
    .requiredOption('--theme <name>', 'the theme')
    .option('--json', 'print one JSON document')
    .action((template: string, options: { theme: string; json?: boolean }) => {
      if (!templateNames().includes(template))
        throw invalidInput(`there is no template ${template}; there are ${templateNames().join(', ')}`);
      if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(options.theme))
        throw invalidInput('a theme has a name of small letters, digits and hyphens', 'theme');
      const file = path.join(loadConfig().themes_dir, options.theme, 'views', `${template}.ejs`);
      if (existsSync(file)) throw duplicate(`${file} is there already`, 'template');
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, eject(template));
      output.one({ file }, options);
    });
}
