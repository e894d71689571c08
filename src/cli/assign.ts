import type { Command } from 'commander';
import { publicAccount } from '../accounts/account.ts';
import { OPERATOR } from '../administration/principal.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

interface Options {
  addRole?: string[];
  removeRole?: string[];
  addGroup?: string[];
  removeGroup?: string[];
  json?: boolean;
}

const collect = (value: string, before: string[] = []) => [...before, value];

/** `user assign`. */
export function assignCommand(user: Command, session: Session, output: Output): void {
  user
    .command('assign <email_or_sub>')
    .description('Give and take away roles and groups of one person; what is not named stays.')
    .option('--add-role <role>', 'role that they get; may be repeated', collect)
    .option('--remove-role <role>', 'role that they lose; may be repeated', collect)
    .option('--add-group <group>', 'group that they come into; may be repeated', collect)
    .option('--remove-group <group>', 'group that they leave; may be repeated', collect)
    .option('--json', 'print one JSON document')
    .action((who: string, { addRole, removeRole, addGroup, removeGroup, ...options }: Options) =>
      session(async ({ people }) => {
        const change = {
          add: { roles: addRole, groups: addGroup },
          remove: { roles: removeRole, groups: removeGroup },
        };
        output.one(publicAccount(await people.assign(OPERATOR, who, change)), options);
      }),
    );
}
