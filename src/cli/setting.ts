import type { Command } from 'commander';
import { parse } from 'yaml';
import { OPERATOR } from '../administration/principal.ts';
import type { AllSettings, Setting } from '../administration/settings.ts';
import { notFound } from '../kernel/errors.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

const COLUMNS = ['key', 'value', 'source', 'configured'];

/** A text that looks like something else stays one. */
function valueOf(type: Setting['type'], typed: string): unknown {
  if (type === 'text') return typed;
  if (type !== 'list') return parse(typed);
  return typed.split(/[\s,]+/).filter((one) => one !== '');
}

/** `settings list|set|reset`. */
export function settingCommands(program: Command, session: Session, output: Output): void {
  const settings = program.command('settings').description('What can be set while all runs, over the configuration.');

  const one = ({ items }: AllSettings, key: string) => {
    const found = items.find((item) => item.key === key);
    if (!found) throw notFound(`${key} cannot be set here: settings list names what can`);
    return { ...found };
  };

  settings
    .command('list')
    .description('What can be set, what is in force, and where that comes from.')
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) =>
      session(async ({ settings: all }) =>
        output.many(
          (await all.list()).items.map((item) => ({ ...item })),
          COLUMNS,
          options,
        ),
      ),
    );

  settings
    .command('set <key> <value>')
    .description('Set one, in force everywhere within a second. A list is separated by commas, an empty one is "".')
    .option('--json', 'print one JSON document')
    .action((key: string, value: string, options: { json?: boolean }) =>
      session(async ({ settings: all }) => {
        const { type } = one(await all.list(), key);
        output.one(one(await all.change(OPERATOR, { [key]: valueOf(type, value) }), key), options);
      }),
    );

  settings
    .command('reset <key>')
    .description('Let one be again what the configuration says.')
    .option('--json', 'print one JSON document')
    .action((key: string, options: { json?: boolean }) =>
      session(async ({ settings: all }) => {
        one(await all.list(), key);
        output.one(one(await all.change(OPERATOR, { [key]: null }), key), options);
      }),
    );
}
