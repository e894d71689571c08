import type { Command } from 'commander';
import { conflict } from '../kernel/errors.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

/** `secrets rotate`. */
export function secretCommands(program: Command, session: Session, output: Output): void {
  const secrets = program.command('secrets').description('The keys that encrypt what is stored.');

  secrets
    .command('rotate')
    .description(
      'Encrypt all that is stored with the first of secrets.encryption_key; the others can go when it says so.',
    )
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) =>
      session(async ({ keys }) => {
        const { missed, unreadable, ...resealed } = await keys.reseal();
        if (missed > 0) throw conflict(`${missed} values kept changing meanwhile: run this once more`);
        const remove_former_keys_after = new Date(Date.now() + keys.longest() * 1000).toISOString();
        output.one({ ...resealed, unreadable, remove_former_keys_after }, options);
      }),
    );
}
