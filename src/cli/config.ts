import type { Command } from 'commander';
import { stringify } from 'yaml';
import { maskedConfig } from '../config/describe.ts';
import { loadConfig } from '../config/load.ts';
import type { Output } from './output.ts';

/** `config check|show`. */
export function configCommands(program: Command, output: Output): void {
  const config = program.command('config').description('The configuration in force.');

  config
    .command('check')
    .description('Name every problem of the configuration, or say that there is none.')
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) => {
      const { environment, issuer } = loadConfig();
      output.one({ ok: true, environment, issuer }, options);
    });

  config
    .command('show')
    .description('Print the configuration with secrets masked.')
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) => {
      const masked = maskedConfig(loadConfig());
      if (options.json) output.one(masked as Record<string, unknown>, options);
      else process.stdout.write(stringify(masked));
    });
}
