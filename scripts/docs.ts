/**
 * `npm run docs`: writes the parts of the documentation that are taken from the code. What is generated is listed here, and
 * `test/docs/in-sync.test.ts` fails when a file differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { adminCommands } from '../src/cli/admin.ts';
import { auditCommands } from '../src/cli/audit.ts';
import { clientDocumentCommands } from '../src/cli/client-document.ts';
import { claimCommands } from '../src/cli/claims.ts';
import { clientCommands } from '../src/cli/client.ts';
import { configCommands } from '../src/cli/config.ts';
import { fileCommands } from '../src/cli/files.ts';
import { keyCommands } from '../src/cli/keys.ts';
import { logoutCommands } from '../src/cli/logout.ts';
import { mailCommands } from '../src/cli/mail.ts';
import { output } from '../src/cli/output.ts';
import { sessionCommands } from '../src/cli/sessions.ts';
import { invitationCommands } from '../src/cli/invitation.ts';
import { providerCommands } from '../src/cli/provider.ts';
import { settingCommands } from '../src/cli/setting.ts';
import { registrationTokenCommands } from '../src/cli/registration-token.ts';
import { roleCommands } from '../src/cli/roles.ts';
import { secretCommands } from '../src/cli/secrets.ts';
import { tokenCommands } from '../src/cli/token.ts';
import { userCommands } from '../src/cli/user.ts';
import { configReference } from '../src/config/describe.ts';
import { configKeys } from '../src/config/keys.ts';

export const ROOT = path.resolve(import.meta.dirname, '..');

export interface Generated {
  /** Path from the root of the repository. */
  file: string;
  text: string;
}

/** The command line as a tree of commands, none of which is run. */
export function commandLine(): Command {
  const program = new Command('gatehouse');
  const session = () => Promise.reject(new Error('documentation runs no command'));
  adminCommands(program, session, output);
  auditCommands(program, session, output);
  clientCommands(program, session, output);
  sessionCommands(program, session, output);
  invitationCommands(program, session, output);
  clientDocumentCommands(program, session, output);
  providerCommands(program, session, output);
  settingCommands(program, session, output);
  registrationTokenCommands(program, session, output);
  userCommands(program, session, output);
  roleCommands(program, session, output);
  claimCommands(program, session, output);
  tokenCommands(program, session, output);
  logoutCommands(program, session, output);
  mailCommands(program, session, output);
  keyCommands(program, session, output);
  secretCommands(program, session, output);
  fileCommands(program, session, output);
  configCommands(program, output);
  return program;
}

const row = (...cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const table = (head: string[], rows: string[][]) =>
  [row(...head), row(...head.map(() => '---')), ...rows.map((cells) => row(...cells))].join('\n');

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** @param seconds a lifetime. @returns it in the largest unit that divides it, such as `7 days`. */
function inWords(seconds: number): string {
  const [unit, size] = UNITS.find(([, each]) => seconds % each === 0 && (seconds > each || each === 3600)) ?? [
    'second',
    1,
  ];
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function lifetimesTable(): string {
  const rows = configKeys
    .filter((key) => key.path[0] === 'lifetimes')
    .map((key) => [
      `\`${key.path.join('.')}\``,
      inWords(Number(key.fallback)),
      `\`${key.env}=${String(key.fallback)}\``,
      key.description.replace(/ In seconds\.$/, ''),
    ]);
  return table(['key', 'default', 'in the environment', 'meaning'], rows);
}

function usage(command: Command): string {
  const names = command.registeredArguments.map((argument) => ` <${argument.name()}>`).join('');
  const needed = command.options.filter((option) => option.mandatory).map((option) => ` ${option.flags}`);
  return `\`${command.parent?.name() ?? ''} ${command.name()}${names}${needed.join('')}\``;
}

function commandsTable(): string {
  const rows = commandLine().commands.flatMap((group) =>
    group.commands.map((command) => [
      usage(command),
      command.description(),
      command.options
        .filter((option) => !option.mandatory)
        .map((option) => `\`${option.long}\``)
        .join(' '),
    ]),
  );
  return table(['command', 'what it does', 'options'], rows);
}

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

/** `text` with what stands between `<!-- name: … -->` and `<!-- /name -->` replaced. */
function between(text: string, name: string, content: string): string {
  const pattern = new RegExp(`(<!-- ${name}: [^>]* -->\n)[^]*?(<!-- /${name} -->)`);
  if (!pattern.test(text)) throw new Error(`the markers of ${name} are missing`);
  return text.replace(pattern, (_, start: string, end: string) => `${start}\n${content}\n\n${end}`);
}

/** Every file that is generated or has generated parts, as it should be. */
export function generatedFiles(): Generated[] {
  const withPart = (file: string, name: string, content: string) => ({
    file,
    text: between(read(file), name, content),
  });
  return [
    { file: 'config/README.md', text: configReference() },
    withPart('docs/operators/sign-in.md', 'lifetimes', lifetimesTable()),
    withPart('docs/operators/commands.md', 'commands', commandsTable()),
  ];
}

if (import.meta.main) {
  for (const { file, text } of generatedFiles()) {
    writeFileSync(path.join(ROOT, file), text);
    process.stdout.write(`${file}\n`);
  }
}
