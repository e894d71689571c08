import type { Command } from 'commander';
import { publicAccount } from '../accounts/account.ts';
import { every } from './every.ts';
import type { Output } from './output.ts';
import { passwordFromStdin } from './password.ts';
import type { Session } from './session.ts';

const COLUMNS = ['sub', 'email', 'name', 'state', 'last_sign_in_at'];

/** `admin create|list|grant|revoke|link`. */
export function adminCommands(program: Command, session: Session, output: Output): void {
  const admin = program.command('admin').description('People who manage this Gatehouse.');

  admin
    .command('create')
    .description('Create an account that is an admin. Without a password it signs in by recovery or a passkey.')
    .requiredOption('--email <email>', 'e-mail address, known to be theirs')
    .requiredOption('--name <name>', 'full name')
    .option('--password-stdin', 'read the password from standard input')
    .option('--json', 'print one JSON document')
    .action(async (options: { email: string; name: string; passwordStdin?: boolean; json?: boolean }) => {
      const password = options.passwordStdin ? await passwordFromStdin() : undefined;
      await session(async ({ admins }) => {
        const { email, name } = options;
        output.one(publicAccount(await admins.create({ email, name, password })), options);
      });
    });

  admin
    .command('list')
    .description('Who is an admin.')
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) =>
      session(async ({ admins }) => output.many((await every(admins.list)).map(publicAccount), COLUMNS, options)),
    );

  admin
    .command('grant <email_or_sub>')
    .description('Make a person an admin.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ admins }) => output.one(publicAccount(await admins.grant(who)), options)),
    );

  admin
    .command('revoke <email_or_sub>')
    .description('Let an admin be one no more; the account stays.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ admins }) => output.one(publicAccount(await admins.revoke(who)), options)),
    );

  admin
    .command('link')
    .description('Print a link that makes whoever opens it first an admin: once, for a day.')
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) =>
      session(async ({ admins }) => {
        const { url, expires_at } = await admins.issueLink({ onlyFirst: false });
        output.one({ url, expires_at: new Date(expires_at * 1000).toISOString() }, options);
      }),
    );
}
