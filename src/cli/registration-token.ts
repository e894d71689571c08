import type { Command } from 'commander';
import type { InitialToken } from '../clients/registrations.ts';
import { notFound } from '../kernel/errors.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';
import { wholeFrom } from './whole-number.ts';

interface CreateOptions {
  name: string;
  expiresIn?: number;
  uses?: number;
  json?: boolean;
}

const COLUMNS = ['id', 'name', 'uses', 'most_uses', 'expires_at', 'created_at'];

/** Everything but the hash of the token. */
const facts = ({ id, name, uses, most_uses, created_at, expires_at }: InitialToken) => ({
  id,
  name,
  uses,
  most_uses,
  created_at,
  expires_at: expires_at === null ? null : new Date(expires_at * 1000).toISOString(),
});

/** `registration-token create|list|revoke`. */
export function registrationTokenCommands(program: Command, session: Session, output: Output): void {
  const tokens = program
    .command('registration-token')
    .description('Tokens by which apps register themselves, where `registration.mode` is `token`.');

  tokens
    .command('create')
    .description('Make a token to register apps with. It is shown this once.')
    .requiredOption('--name <name>', 'whom it is for')
    .option('--expires-in <seconds>', 'how long it is good for; without it until it is revoked', wholeFrom(1))
    .option('--uses <count>', 'how many apps can be registered with it; without it any number', wholeFrom(1))
    .option('--json', 'print one JSON document')
    .action(({ name, expiresIn, uses, ...options }: CreateOptions) =>
      session(async ({ initialTokens }) => {
        const { initial, token } = await initialTokens.create({ name, ttl: expiresIn, uses });
        output.one({ ...facts(initial), token }, options);
      }),
    );

  tokens
    .command('list')
    .description('All of them, with how often each was used.')
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) =>
      session(async ({ initialTokens }) => output.many((await initialTokens.list()).map(facts), COLUMNS, options)),
    );

  tokens
    .command('revoke <id>')
    .description('Let nobody register with it any more. Apps registered with it stay.')
    .option('--json', 'print one JSON document')
    .action((id: string, options: { json?: boolean }) =>
      session(async ({ initialTokens }) => {
        if (!(await initialTokens.revoke(id))) throw notFound(`there is no registration token ${id}`);
        output.one({ id, revoked: true }, options);
      }),
    );
}
