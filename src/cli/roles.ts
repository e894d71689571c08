import type { Command } from 'commander';
import { OPERATOR } from '../administration/principal.ts';
import type { NamedRecords } from '../administration/named-records.ts';
import { publicNamed } from '../roles/role.ts';
import type { Group, Role } from '../roles/role.ts';
import { every } from './every.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

interface Json {
  json?: boolean;
}
interface Options extends Json {
  name?: string;
  description?: string;
  /** What it carries: permissions of a role, roles of a group. */
  permission?: string[];
  role?: string[];
  search?: string;
}

const collect = (value: string, before: string[] = []) => [...before, value];
const told = <T extends Role | Group>(record: T) => ({ ...publicNamed(record) });

interface Shape<K extends 'role' | 'group'> {
  kind: K;
  about: string;
  /** The option that says what it carries, and the field of the record. */
  carries: { option: 'permission' | 'role'; field: 'permissions' | 'roles'; about: string };
  of(backstage: Parameters<Parameters<Session>[0]>[0]): NamedRecords<K>;
}

/** Roles and groups are records of one kind that carry different things. */
function namedCommands<K extends 'role' | 'group'>(
  program: Command,
  session: Session,
  output: Output,
  { kind, about, carries, of }: Shape<K>,
): void {
  const command = program.command(kind).description(about);
  const option = `--${carries.option} <${carries.option}>`;
  const contentOf = (options: Options) => ({
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(options[carries.option] === undefined
      ? {}
      : { [carries.field]: options[carries.option]!.filter((one) => one !== '') }),
  });

  command
    .command('create')
    .description(`Make a ${kind}.`)
    .requiredOption('--name <name>', 'its name: letters, digits and . _ : -')
    .option('--description <text>', 'what it is for')
    .option(option, `${carries.about}; may be repeated`, collect)
    .option('--json', 'print one JSON document')
    .action((options: Options) =>
      session(async (backstage) => {
        const input = { name: options.name!, ...contentOf(options) };
        output.one(told(await of(backstage).create(OPERATOR, input as never)), options);
      }),
    );

  command
    .command('list')
    .description('All of them by name, or those that are searched for.')
    .option('--search <words>', 'words that each begin one of the name or the description')
    .option('--json', 'print one JSON document')
    .action((options: Options) =>
      session(async (backstage) => {
        const found = await every((page) => of(backstage).list({ ...page, text: options.search }));
        output.many(found.map(told), ['name', 'description', carries.field], options);
      }),
    );

  command
    .command('show <name>')
    .description('Everything about one.')
    .option('--json', 'print one JSON document')
    .action((name: string, options: Json) =>
      session(async (backstage) => output.one(told(await of(backstage).get(name)), options)),
    );

  command
    .command('update <name>')
    .description('Change what is named. Of another name, everybody who has it keeps it under that one.')
    .option('--name <name>', 'its new name')
    .option('--description <text>', 'what it is for')
    .option(option, `${carries.about}, in the place of all there are; may be repeated; one empty for none`, collect)
    .option('--json', 'print one JSON document')
    .action((name: string, options: Options) =>
      session(async (backstage) => {
        const change = { ...(options.name === undefined ? {} : { name: options.name }), ...contentOf(options) };
        output.one(told(await of(backstage).update(OPERATOR, name, change as never)), options);
      }),
    );

  command
    .command('delete <name>')
    .description(`Delete a ${kind}; nobody has it any more.`)
    .option('--json', 'print one JSON document')
    .action((name: string, options: Json) =>
      session(async (backstage) => {
        await of(backstage).remove(OPERATOR, name);
        output.one({ name, deleted: true }, options);
      }),
    );
}

/** `role …` and `group …`. */
export function roleCommands(program: Command, session: Session, output: Output): void {
  namedCommands(program, session, output, {
    kind: 'role',
    about: 'Roles of people, and the permissions that come with them.',
    carries: { option: 'permission', field: 'permissions', about: 'permission that comes with it' },
    of: ({ roles }) => roles,
  });
  namedCommands(program, session, output, {
    kind: 'group',
    about: 'Groups of people, and the roles that everybody in one has.',
    carries: { option: 'role', field: 'roles', about: 'role that everybody in it has' },
    of: ({ groups }) => groups,
  });
}
