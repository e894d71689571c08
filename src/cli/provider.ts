import { Option } from 'commander';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { publicProvider } from '../admin/routes/providers.ts';
import { OPERATOR } from '../administration/principal.ts';
import type { Upstreams } from '../administration/upstreams.ts';
import { PROVIDER_TYPES } from '../config/federation.ts';
import type { KnownProvider } from '../federation/records.ts';
import { resolveSecret } from '../files/references.ts';
import { invalidInput } from '../kernel/errors.ts';
import { Ended } from './ended.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

interface Fields {
  clientId?: string;
  issuer?: string;
  clientSecret?: string;
  privateKey?: string;
  set?: string[];
  json?: boolean;
}

const COLUMNS = ['name', 'type', 'source', 'enabled', 'issuer', 'client_id'];
const collect = (value: string, before: string[] = []) => [...before, value];

/** `name=value`, the value as YAML has it; nothing after the sign is the default. */
function pair(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw invalidInput(`--set takes name=value, not ${text}`);
  const value: unknown = text.slice(at + 1) === '' ? null : parse(text.slice(at + 1));
  return [text.slice(0, at), value];
}

const secretOf = (reference: string | undefined, flag: string): string | undefined => {
  if (reference === undefined) return undefined;
  if (!/^(env|file):/.test(reference))
    throw invalidInput(`${flag} takes env:NAME or file:path: others see a command line`);
  return resolveSecret(reference, process.cwd(), process.env);
};

const fieldsOf = (options: Fields): Record<string, unknown> => {
  const given = {
    client_id: options.clientId,
    issuer: options.issuer,
    client_secret: secretOf(options.clientSecret, '--client-secret'),
    private_key: secretOf(options.privateKey, '--private-key'),
    ...Object.fromEntries((options.set ?? []).map(pair)),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
};

const withFields = (command: Command): Command =>
  command
    .option('--client-id <id>', 'client id that the provider gave you')
    .option('--client-secret <reference>', 'where the secret is that it gave you: env:NAME or file:path')
    .option('--private-key <reference>', 'of Apple: where the private key is')
    .option('--issuer <url>', 'its issuer')
    .option('--set <name=value>', 'any other setting, such as trust_email=false; may be repeated', collect)
    .option('--json', 'print one JSON document');

/** `provider list|show|create|update|enable|disable|test|delete`. */
export function providerCommands(program: Command, session: Session, output: Output): void {
  const provider = program.command('provider').description('Providers elsewhere that people may sign in with.');
  const shown = (known: KnownProvider, upstreams: Upstreams) => publicProvider(known, upstreams);

  provider
    .command('list')
    .description('All of them, those of the configuration first.')
    .option('--json', 'print one JSON document')
    .action((options: Fields) =>
      session(async ({ upstreams }) => {
        const all = await upstreams.list();
        output.many(
          all.map((one) => shown(one, upstreams)),
          COLUMNS,
          options,
        );
      }),
    );

  provider
    .command('show <name>')
    .description('Everything about one but its secrets.')
    .option('--json', 'print one JSON document')
    .action((name: string, options: Fields) =>
      session(async ({ upstreams }) => output.one(shown(await upstreams.get(name), upstreams), options)),
    );

  withFields(provider.command('create <name>'))
    .description('Add one; people can sign in with it within a second.')
    .addOption(new Option('--type <type>', 'what it is').choices(PROVIDER_TYPES).makeOptionMandatory())
    .action((name: string, options: Fields & { type: string }) =>
      session(async ({ upstreams }) => {
        const input = { name, type: options.type, ...fieldsOf(options) };
        output.one(shown(await upstreams.create(OPERATOR, input), upstreams), options);
      }),
    );

  withFields(provider.command('update <name>'))
    .description('Change what is named; --set name= puts a setting back to its default.')
    .action((name: string, options: Fields) =>
      session(async ({ upstreams }) =>
        output.one(shown(await upstreams.update(OPERATOR, name, fieldsOf(options)), upstreams), options),
      ),
    );

  for (const [verb, enabled, description] of [
    ['enable', true, 'Let people sign in with one again.'],
    ['disable', false, 'Let nobody sign in with one, and offer it to nobody.'],
  ] as const)
    provider
      .command(`${verb} <name>`)
      .description(description)
      .option('--json', 'print one JSON document')
      .action((name: string, options: Fields) =>
        session(async ({ upstreams }) =>
          output.one(shown(await upstreams.update(OPERATOR, name, { enabled }), upstreams), options),
        ),
      );

  provider
    .command('test <name>')
    .description('Ask one now whether it is a provider of its type. Fails where it is not.')
    .option('--json', 'print one JSON document')
    .action((name: string, options: Fields) =>
      session(async ({ upstreams }) => {
        const { ok, ...result } = await upstreams.test(name);
        output.one({ name, ok, ...('answer' in result ? result.answer : result) }, options);
        if (!ok) throw new Ended(1);
      }),
    );

  provider
    .command('delete <name>')
    .description('Remove one; people who have no other way in lose theirs.')
    .option('--json', 'print one JSON document')
    .action((name: string, options: Fields) =>
      session(async ({ upstreams }) => {
        await upstreams.remove(OPERATOR, name);
        output.one({ name, deleted: true }, options);
      }),
    );
}
