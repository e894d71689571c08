import type { Command } from 'commander';
import { publicAccount } from '../accounts/account.ts';
import { OPERATOR } from '../administration/principal.ts';
import type { FactorSummary } from '../factors/factors.ts';
import { assignCommand } from './assign.ts';
import { every } from './every.ts';
import type { Output } from './output.ts';
import { passwordFromStdin } from './password.ts';
import { inviteCommand } from './invitation.ts';
import { updateCommand } from './user-update.ts';
import { peopleCommands } from './people.ts';
import type { Session } from './session.ts';

interface CreateOptions {
  email: string;
  name: string;
  passwordStdin?: boolean;
  role?: string[];
  group?: string[];
  emailVerified?: boolean;
  json?: boolean;
}

const CONSENT_COLUMNS = ['client_id', 'scopes', 'declined', 'resources', 'updated_at'];
const COLUMNS = ['sub', 'email', 'name', 'state', 'roles', 'last_sign_in_at'];
const collect = (value: string, before: string[] = []) => [...before, value];

/** For people to read. */
function inWords({
  totp,
  passkeys,
  recovery_codes_left,
  remembered_devices,
}: FactorSummary & { remembered_devices: object[] }) {
  return [
    ...(totp ? ['authenticator app'] : []),
    ...(passkeys > 0 ? [`${passkeys} passkey(s)`] : []),
    ...(recovery_codes_left > 0 ? [`${recovery_codes_left} recovery code(s) left`] : []),
    ...(remembered_devices.length > 0 ? [`${remembered_devices.length} remembered device(s)`] : []),
  ];
}

/** `user create|list|show|suspend|resume|unlock|delete|set-password|change-email|…`. People are named by e-mail or by sub. */
export function userCommands(program: Command, session: Session, output: Output): void {
  const user = program.command('user').description('People who sign in.');
  peopleCommands(user, session, output);
  assignCommand(user, session, output);
  inviteCommand(user, session, output);
  updateCommand(user, session, output);

  user
    .command('create')
    .description('Create an account.')
    .requiredOption('--email <email>', 'e-mail address')
    .requiredOption('--name <name>', 'full name')
    .option('--password-stdin', 'read the password from standard input')
    .option('--role <role>', 'role; may be repeated', collect)
    .option('--group <group>', 'group they are in; may be repeated', collect)
    .option('--email-verified', 'the address is known to be theirs')
    .option('--json', 'print one JSON document')
    .action(async (options: CreateOptions) => {
      const password = options.passwordStdin ? await passwordFromStdin() : undefined;
      await session(async ({ people }) => {
        const { email, name, role: roles, group: groups, emailVerified: email_verified } = options;
        const input = { email, name, password, roles, groups, email_verified };
        output.one(publicAccount(await people.create(OPERATOR, input)), options);
      });
    });

  user
    .command('list')
    .description('All people, oldest first, or those who are searched for.')
    .option('--search <words>', 'words that each begin one of the name, the address or the id')
    .option('--role <role>', 'only those with the role')
    .option('--group <group>', 'only those in the group')
    .option('--json', 'print one JSON document')
    .action((options: { search?: string; role?: string; group?: string; json?: boolean }) =>
      session(async ({ people }) => {
        const { search: text, role, group } = options;
        const found = await every((page) => people.search({ ...page, text, role, group }));
        output.many(found.map(publicAccount), COLUMNS, options);
      }),
    );

  user
    .command('show <email_or_sub>')
    .description('Everything about one person but their password.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ people }) => {
        const account = await people.get(who);
        const { passkeys, second_factors, identities: found } = await people.signInMethods(who);
        const identities = options.json
          ? found
          : found.map(({ provider, subject, email }) => `${provider}:${subject}${email === null ? '' : ` (${email})`}`);
        output.one(
          {
            ...publicAccount(account),
            identities,
            passkeys: options.json ? passkeys : passkeys.map(({ id, name }) => `${name} (${id})`),
            second_factors: options.json ? second_factors : inWords(second_factors),
          },
          options,
        );
      }),
    );

  user
    .command('suspend <email_or_sub>')
    .description('End all sessions and tokens of a person and let none begin.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ people }) => output.one(publicAccount(await people.suspend(OPERATOR, who)), options)),
    );

  user
    .command('resume <email_or_sub>')
    .description('Let a suspended person sign in again.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ people }) => output.one(publicAccount(await people.resume(OPERATOR, who)), options)),
    );

  user
    .command('unlock <email_or_sub>')
    .description('Forget wrong passwords and codes, and end lock-outs, of a person.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ people }) => {
        const { account, counters_cleared } = await people.unlock(OPERATOR, who);
        output.one({ sub: account.id, email: account.email, counters_cleared }, options);
      }),
    );

  user
    .command('set-password <email_or_sub>')
    .description('Set a password read from standard input; sessions and tokens end.')
    .option('--password-stdin', 'accepted for symmetry: the password is always read from standard input')
    .option('--json', 'print one JSON document')
    .action(async (who: string, options: { json?: boolean }) => {
      const password = await passwordFromStdin();
      await session(async ({ people }) =>
        output.one(publicAccount(await people.setPassword(OPERATOR, who, password)), options),
      );
    });

  user
    .command('demand-new-password <email_or_sub>')
    .description('Have a person choose another password at their next sign-in by password, before they go on.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ people }) => output.one(publicAccount(await people.demandNewPassword(OPERATOR, who)), options)),
    );

  user
    .command('waive-new-password <email_or_sub>')
    .description('Take back that a new password was demanded of a person.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ people }) => output.one(publicAccount(await people.waiveNewPassword(OPERATOR, who)), options)),
    );

  user
    .command('reset-factors <email_or_sub>')
    .description('Take all second factors, passkeys and remembered devices away; sessions and tokens end.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ people, factors }) => {
        const { id, email } = await people.resetFactors(OPERATOR, who);
        output.one({ sub: id, email, second_factors: await factors.of(id) }, options);
      }),
    );

  user
    .command('change-email <email_or_sub> <new_email>')
    .description('Mail a link to the new address; the change is made when it is confirmed there.')
    .option('--confirmed', 'the new address is known to be theirs: change it now')
    .option('--json', 'print one JSON document')
    .action((who: string, to: string, { confirmed, ...options }: { confirmed?: boolean; json?: boolean }) =>
      session(async ({ people }) => {
        const account = await people.changeEmail(OPERATOR, who, to, { confirmed: confirmed === true });
        if (confirmed) return output.one(publicAccount(account), options);
        return output.one({ sub: account.id, email: account.email, new_email: to, confirmed: false }, options);
      }),
    );

  user
    .command('consents <email_or_sub>')
    .description('What a person has allowed which apps.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ people }) => {
        const consents = await people.consents(who);
        output.many(
          consents.map((consent) => ({ ...consent })),
          CONSENT_COLUMNS,
          options,
        );
      }),
    );

  user
    .command('withdraw-consent <email_or_sub> <client_id>')
    .description('Forget what a person allowed an app; its tokens stop working.')
    .option('--json', 'print one JSON document')
    .action((who: string, client_id: string, options: { json?: boolean }) =>
      session(async ({ people }) => {
        const { id } = await people.withdrawConsent(OPERATOR, who, client_id);
        output.one({ sub: id, client_id, withdrawn: true }, options);
      }),
    );

  user
    .command('remove-passkey <email_or_sub> <passkey_id>')
    .description(
      'Remove one passkey of a person, unless it is their last way in. `user show` names them; one that begins with - goes last, after --.',
    )
    .option('--json', 'print one JSON document')
    .action((who: string, passkey_id: string, options: { json?: boolean }) =>
      session(async ({ people }) => {
        const { id } = await people.removePasskey(OPERATOR, who, passkey_id);
        output.one({ sub: id, passkey_id, removed: true }, options);
      }),
    );

  user
    .command('delete <email_or_sub>')
    .description('Remove a person and everything that acts in their name.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ people }) => {
        const { id } = await people.remove(OPERATOR, who);
        output.one({ sub: id, deleted: true }, options);
      }),
    );
}
