import { Option } from 'commander';
import type { Command } from 'commander';
import { kindOf } from '../administration/apps.ts';
import { OPERATOR } from '../administration/principal.ts';
import { CLIENT_TYPES, publicClient } from '../clients/client.ts';
import type { ClientType } from '../clients/client.ts';
import { withoutNothing } from '../clients/input.ts';
import type { NewClient } from '../clients/input.ts';
import { addClientOptions, toSettings } from './client-options.ts';
import type { ClientOptions } from './client-options.ts';
import { clientSecretCommands, withSecret } from './client-secrets.ts';
import { clientUpdateCommand } from './client-update.ts';
import { every } from './every.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';
import { warn } from './warn.ts';

interface CreateOptions extends ClientOptions {
  type: ClientType;
  name: string;
  resource?: string;
  json?: boolean;
}

const COLUMNS = ['client_id', 'type', 'client_name', 'redirect_uris', 'created_at'];
const toNewClient = ({ type, name, resource, ...options }: CreateOptions) =>
  ({
    ...withoutNothing(toSettings(options)),
    type,
    name,
    ...(resource === undefined ? {} : { resource }),
  }) as NewClient;

/** `client create|list|show|delete`, and what is done to its secrets. */
export function clientCommands(program: Command, session: Session, output: Output): void {
  const client = program
    .command('client')
    .description('Apps that sign people in here, and APIs that accept our tokens.');

  addClientOptions(client.command('create'))
    .description('Register a client. Its secret is shown this once.')
    .addOption(new Option('--type <type>', 'what it is').choices(CLIENT_TYPES).makeOptionMandatory())
    .requiredOption('--name <name>', 'name that people see')
    .option('--resource <uri>', 'of an API: its identifier, the audience of its tokens')
    .option('--json', 'print one JSON document')
    .action((options: CreateOptions) =>
      session(async ({ apps, warnings }) => {
        const registered = await apps.register(OPERATOR, toNewClient(options));
        output.one(withSecret(registered), options);
        warn(output, await warnings.toldOf(OPERATOR, registered.client));
      }),
    );

  client
    .command('list')
    .description('All clients, oldest first, or those that are searched for.')
    .option('--search <words>', 'words that each begin one of the name, the id or the identifier')
    .option('--json', 'print one JSON document')
    .action((options: { search?: string; json?: boolean }) =>
      session(async ({ clients }) => {
        const found = await every((page) => clients.search({ ...page, text: options.search }));
        output.many(found.map(publicClient), COLUMNS, options);
      }),
    );

  client
    .command('show <client_id>')
    .description('Everything about one client but its secret.')
    .option('--json', 'print one JSON document')
    .action((id: string, options: { json?: boolean }) =>
      session(async ({ clients }) => output.one(publicClient(await clients.get(id)), options)),
    );

  client
    .command('delete <client_id>')
    .description('Remove a client; its tokens stop working.')
    .option('--json', 'print one JSON document')
    .action((id: string, options: { json?: boolean }) =>
      session(async ({ clients, apps }) => {
        await apps.remove(OPERATOR, kindOf(await clients.get(id)), id);
        output.one({ client_id: id, deleted: true }, options);
      }),
    );

  clientUpdateCommand(client, session, output);
  clientSecretCommands(client, session, output);
}
