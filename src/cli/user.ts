import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { publicAccount } from '../accounts/account.ts';
import { publicPasskey } from '../factors/passkey.ts';
import type { FactorSummary } from '../factors/factors.ts';
import { invalidInput, notFound, unavailable } from '../kernel/errors.ts';
import { every } from './every.ts';
import type { Output } from './output.ts';
import { peopleCommands } from './people.ts';
import type { Session } from './session.ts';

interface CreateOptions {
  email: string;
  name: string;
  passwordStdin?: boolean;
  role?: string[];
  emailVerified?: boolean;
  json?: boolean;
}

/** Of mails about what an admin did: nobody's browser tells. */
const NOTICE_LOCALE = 'en';
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

/** The password on standard input, its final line break taken off. A command line would show it to everybody on the machine. */
async function passwordFromStdin(): Promise<string> {
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (password === '') throw invalidInput('standard input holds no password', 'password');
  return password;
}

/** `user create|list|show|suspend|resume|unlock|delete|set-password|change-email|…`. People are named by e-mail or by sub. */
export function userCommands(program: Command, session: Session, output: Output): void {
  const user = program.command('user').description('People who sign in.');
  peopleCommands(user, session, output);

  user
    .command('create')
    .description('Create an account.')
    .requiredOption('--email <email>', 'e-mail address')
    .requiredOption('--name <name>', 'full name')
    .option('--password-stdin', 'read the password from standard input')
    .option('--role <role>', 'role; may be repeated', collect)
    .option('--email-verified', 'the address is known to be theirs')
    .option('--json', 'print one JSON document')
    .action(async (options: CreateOptions) => {
      const password = options.passwordStdin ? await passwordFromStdin() : undefined;
      await session(async ({ accounts }) => {
        const { email, name, role: roles, emailVerified: email_verified } = options;
        output.one(publicAccount(await accounts.create({ email, name, password, roles, email_verified })), options);
      });
    });

  user
    .command('list')
    .description('All people, oldest first.')
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) =>
      session(async ({ accounts }) => output.many((await every(accounts.list)).map(publicAccount), COLUMNS, options)),
    );

  user
    .command('show <email_or_sub>')
    .description('Everything about one person but their password.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ accounts, linking, factors, storage }) => {
        const account = await accounts.get(who);
        const passkeys = (await storage.passkeys.listByAccount(account.id)).map(publicPasskey);
        const second_factors = {
          ...(await factors.details(account.id)),
          remembered_devices: await factors.devices.list(account.id),
        };
        const found = await linking.identitiesOf(account.id);
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
      session(async ({ accounts, access }) =>
        output.one(publicAccount(await access.suspend((await accounts.get(who)).id)), options),
      ),
    );

  user
    .command('resume <email_or_sub>')
    .description('Let a suspended person sign in again.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ accounts, access }) =>
        output.one(publicAccount(await access.resume((await accounts.get(who)).id)), options),
      ),
    );

  user
    .command('unlock <email_or_sub>')
    .description('Forget wrong passwords and codes, and end lock-outs, of a person.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ accounts, limits }) => {
        const { id, email } = await accounts.get(who);
        output.one({ sub: id, email, counters_cleared: await limits.unlock(email) }, options);
      }),
    );

  user
    .command('set-password <email_or_sub>')
    .description('Set a password read from standard input; sessions and tokens end.')
    .option('--password-stdin', 'accepted for symmetry: the password is always read from standard input')
    .option('--json', 'print one JSON document')
    .action(async (who: string, options: { json?: boolean }) => {
      const password = await passwordFromStdin();
      await session(async ({ accounts, access, verification }) => {
        const account = await access.setPassword((await accounts.get(who)).id, password);
        await verification.notices.passwordChanged(account, NOTICE_LOCALE);
        output.one(publicAccount(account), options);
      });
    });

  user
    .command('reset-factors <email_or_sub>')
    .description('Take all second factors, passkeys and remembered devices away; sessions and tokens end.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ accounts, access, factors }) => {
        const account = await accounts.get(who);
        await access.resetFactors(account.id);
        output.one({ sub: account.id, email: account.email, second_factors: await factors.of(account.id) }, options);
      }),
    );

  user
    .command('change-email <email_or_sub> <new_email>')
    .description('Mail a link to the new address; the change is made when it is confirmed there.')
    .option('--confirmed', 'the new address is known to be theirs: change it now')
    .option('--json', 'print one JSON document')
    .action((who: string, to: string, { confirmed, ...options }: { confirmed?: boolean; json?: boolean }) =>
      session(async ({ accounts, mail, verification: { emailChanges } }) => {
        const account = await accounts.get(who);
        if (confirmed) return output.one(publicAccount(await emailChanges.change(account, to, NOTICE_LOCALE)), options);
        if (!mail.mailer.available) throw unavailable('no mail can be sent: set mail.smtp_url, or use --confirmed');
        await emailChanges.request(account, to, NOTICE_LOCALE);
        return output.one({ sub: account.id, email: account.email, new_email: to, confirmed: false }, options);
      }),
    );

  user
    .command('consents <email_or_sub>')
    .description('What a person has allowed which apps.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ accounts, storage }) => {
        const consents = await storage.consents.listByAccount((await accounts.get(who)).id);
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
      session(async ({ accounts, access }) => {
        const { id } = await accounts.get(who);
        if (!(await access.withdrawConsent(id, client_id))) throw notFound(`${who} has allowed ${client_id} nothing`);
        output.one({ sub: id, client_id, withdrawn: true }, options);
      }),
    );

  user
    .command('remove-passkey <email_or_sub> <passkey_id>')
    .description('Remove one passkey of a person, unless it is their last way in. `user show` names them.')
    .option('--json', 'print one JSON document')
    .action((who: string, passkey_id: string, options: { json?: boolean }) =>
      session(async ({ accounts, passkeys }) => {
        const { id } = await accounts.get(who);
        if (!passkeys) throw unavailable('there are no passkeys here: see passkeys.enabled and issuer');
        await passkeys.remove(id, passkey_id, 'admin');
        output.one({ sub: id, passkey_id, removed: true }, options);
      }),
    );

  user
    .command('delete <email_or_sub>')
    .description('Remove a person and everything that acts in their name.')
    .option('--json', 'print one JSON document')
    .action((who: string, options: { json?: boolean }) =>
      session(async ({ accounts, access }) => {
        const { id } = await accounts.get(who);
        await access.remove(id);
        output.one({ sub: id, deleted: true }, options);
      }),
    );
}
