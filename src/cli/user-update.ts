import type { Command } from 'commander';
import { publicAccount } from '../accounts/account.ts';
import type { AccountChange } from '../accounts/editing.ts';
import { OPERATOR } from '../administration/principal.ts';
import { invalidInput } from '../kernel/errors.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

interface UpdateOptions {
  name?: string;
  picture?: string;
  emailVerified?: boolean;
  claim?: [name: string, value: string][];
  json?: boolean;
}

type Claims = NonNullable<AccountChange['claims']>;

const TRUTH: Record<string, boolean> = { true: true, false: false };

function collectClaim(text: string, before: [string, string][] = []): [string, string][] {
  const at = text.indexOf('=');
  if (at < 1) throw invalidInput('a claim is given as name=value, or name= to take it away', 'claim');
  return [...before, [text.slice(0, at), text.slice(at + 1)]];
}

/** By the names of OpenID Connect Core, section 5.1; an empty value takes the claim away. */
const claimsOf = (given: [string, string][]): Claims =>
  Object.fromEntries(
    given.map(([name, value]): [string, Claims[keyof Claims]] => {
      if (value === '') return [name, null];
      if (name === 'address') return [name, { formatted: value }];
      return [name, name === 'phone_number_verified' ? (TRUTH[value] ?? value) : value];
    }),
  );

/** `user update`. */
export function updateCommand(user: Command, session: Session, output: Output): void {
  user
    .command('update <email_or_sub>')
    .description('Change what is known of a person. Roles and groups: user assign; the address: user change-email.')
    .option('--name <name>', 'full name')
    .option('--picture <url>', 'address of a picture; empty takes it away')
    .option('--email-verified', 'the address is known to be theirs')
    .option('--no-email-verified', 'it is not')
    .option('--claim <name=value>', 'such as given_name=Ada; without a value it goes; may be repeated', collectClaim)
    .option('--json', 'print one JSON document')
    .action((who: string, { name, picture, emailVerified, claim, ...options }: UpdateOptions) =>
      session(async ({ people }) => {
        const change: AccountChange = {
          ...(name === undefined ? {} : { name }),
          ...(picture === undefined ? {} : { picture: picture === '' ? null : picture }),
          ...(emailVerified === undefined ? {} : { email_verified: emailVerified }),
          ...(claim === undefined ? {} : { claims: claimsOf(claim) }),
        };
        if (Object.keys(change).length === 0) throw invalidInput('say what is to be changed');
        output.one(publicAccount(await people.edit(OPERATOR, who, change)), options);
      }),
    );
}
