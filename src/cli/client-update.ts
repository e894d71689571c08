import type { Command } from 'commander';
import { kindOf } from '../administration/apps.ts';
import { OPERATOR } from '../administration/principal.ts';
import { publicClient } from '../clients/client.ts';
import type { ClientChange } from '../clients/input.ts';
import { protocolSchema } from '../clients/protocol.ts';
import { invalidInput } from '../kernel/errors.ts';
import { addClientOptions, toSettings } from './client-options.ts';
import type { ClientOptions } from './client-options.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';
import { warn } from './warn.ts';

interface Options extends ClientOptions {
  clear?: string[];
  json?: boolean;
}

const PROTOCOL = Object.keys(protocolSchema.shape);
/** What has no default to go back to, or goes by another command. */
const KEPT = ['name', 'protocol'];
const CLEARABLE = [...Object.keys(toSettings({})).filter((name) => !KEPT.includes(name)), ...PROTOCOL];

function toChange({ clear = [], ...options }: Options): ClientChange {
  const unknown = clear.find((name) => !CLEARABLE.includes(name));
  if (unknown !== undefined)
    throw invalidInput(`${unknown} cannot be cleared; there are ${CLEARABLE.join(', ')}`, 'clear');
  const nothing = (names: string[]) => Object.fromEntries(names.map((name) => [name, null]));
  const { protocol, ...settings } = toSettings(options);
  const cleared = clear.filter((name) => PROTOCOL.includes(name));
  return {
    ...settings,
    ...nothing(clear.filter((name) => !PROTOCOL.includes(name))),
    name: options.name,
    ...(protocol || cleared.length > 0 ? { protocol: { ...protocol, ...nothing(cleared) } } : {}),
  };
}

/** `client update`. */
export function clientUpdateCommand(client: Command, session: Session, output: Output): void {
  addClientOptions(client.command('update <client_id>'))
    .description('Change what is named of a client; what may be repeated takes the place of all that there was.')
    .option('--name <name>', 'name that people see')
    .option('--clear <field...>', 'put back to what they are without being named, such as theme or jwks_uri')
    .option('--json', 'print one JSON document')
    .action((id: string, options: Options) =>
      session(async ({ clients, apps, warnings }) => {
        const kind = kindOf(await clients.get(id));
        const changed = await apps.update(OPERATOR, kind, id, toChange(options));
        output.one(publicClient(changed), options);
        warn(output, await warnings.toldOf(OPERATOR, changed));
      }),
    );
}
