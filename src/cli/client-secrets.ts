import type { Command } from 'commander';
import { kindOf } from '../administration/apps.ts';
import { OPERATOR } from '../administration/principal.ts';
import { publicClient } from '../clients/client.ts';
import type { Registered } from '../clients/clients.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';
import { wholeFrom } from './whole-number.ts';

interface Options {
  overlap?: number;
  expiresIn?: number;
  json?: boolean;
}

const COLUMNS = ['id', 'last_four', 'created_at', 'expires_at'];

/** The one answer that holds the secret. */
export const withSecret = ({ client, client_secret }: Registered) => ({
  ...publicClient(client),
  ...(client_secret === undefined ? {} : { client_secret }),
});

/** `client rotate-secret|add-secret|revoke-secret|secrets`. */
export function clientSecretCommands(client: Command, session: Session, output: Output): void {
  client
    .command('rotate-secret <client_id>')
    .description('Give a client a new secret, shown this once; the one before goes on for a day.')
    .option('--overlap <seconds>', 'how long the one before goes on; 0 ends it at once', wholeFrom(0))
    .option('--expires-in <seconds>', 'how long the new one is good for; without it until it is replaced', wholeFrom(1))
    .option('--json', 'print one JSON document')
    .action((id: string, { overlap, expiresIn, ...options }: Options) =>
      session(async ({ clients, apps }) => {
        const kind = kindOf(await clients.get(id));
        const made = await apps.rotateSecret(OPERATOR, kind, id, { overlap, expires_in: expiresIn });
        output.one(withSecret(made), options);
      }),
    );

  client
    .command('add-secret <client_id>')
    .description('Give a client one more secret, shown this once; two at most are in force.')
    .option('--expires-in <seconds>', 'how long it is good for; without it until it is replaced', wholeFrom(1))
    .option('--json', 'print one JSON document')
    .action((id: string, { expiresIn, ...options }: Options) =>
      session(async ({ clients, apps }) => {
        const kind = kindOf(await clients.get(id));
        output.one(withSecret(await apps.addSecret(OPERATOR, kind, id, { expires_in: expiresIn })), options);
      }),
    );

  client
    .command('revoke-secret <client_id> <secret_id>')
    .description('End one secret of a client at once.')
    .option('--json', 'print one JSON document')
    .action((id: string, secretId: string, options: Options) =>
      session(async ({ clients, apps }) => {
        const kind = kindOf(await clients.get(id));
        output.one(publicClient(await apps.revokeSecret(OPERATOR, kind, id, secretId)), options);
      }),
    );

  client
    .command('secrets <client_id>')
    .description('The secrets of a client that are in force, but not what they are.')
    .option('--json', 'print one JSON document')
    .action((id: string, options: Options) =>
      session(async ({ clients }) => {
        const { secrets } = publicClient(await clients.get(id));
        output.many(
          secrets.map((one) => ({ ...one })),
          COLUMNS,
          options,
        );
      }),
    );
}
