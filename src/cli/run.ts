import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/error.ts';
import { loadConfig } from '../config/load.ts';
import { FilesError } from '../files/problem.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import { version } from '../version.ts';
import { adminCommands } from './admin.ts';
import { auditCommands } from './audit.ts';
import { claimCommands } from './claims.ts';
import { clientCommands } from './client.ts';
import { clientDocumentCommands } from './client-document.ts';
import { configCommands } from './config.ts';
import { Ended } from './ended.ts';
import { fileCommands } from './files.ts';
import { invitationCommands } from './invitation.ts';
import { keyCommands } from './keys.ts';
import { logoutCommands } from './logout.ts';
import { mailCommands } from './mail.ts';
import { operatorNow } from './operator.ts';
import { output } from './output.ts';
import { providerCommands } from './provider.ts';
import { settingCommands } from './setting.ts';
import { registrationTokenCommands } from './registration-token.ts';
import { roleCommands } from './roles.ts';
import { secretCommands } from './secrets.ts';
import type { Session } from './session.ts';
import { sessionCommands } from './sessions.ts';
import { themeCommands } from './theme.ts';
import { tokenCommands } from './token.ts';
import { userCommands } from './user.ts';

export const FAILED = 1;
const WRONG_USAGE = 2;

/** Opens the store only for a command that runs, and closes it however that ends. */
const withBackstage: Session = async (work) => {
  process.umask(0o077);
  const { assembleBackstage } = await import('../assemble-backstage.ts');
  const operator = operatorNow();
  const backstage = await assembleBackstage(loadConfig(), undefined, operator);
  try {
    return await work(backstage, operator);
  } finally {
    await backstage.close();
  }
};

function reason(error: unknown): string {
  const cause = isGatehouseError(error) && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error instanceof Error ? error.message : String(error)}${cause}`;
}

/** Runs one command. @returns the exit code. */
export async function run(argv: string[]): Promise<number> {
  const program = new Command('gatehouse')
    .description('Manage apps, people and configuration of this Gatehouse.')
    .version(version);
  program.exitOverride().showHelpAfterError('(run with --help for the ways to call this)');
  adminCommands(program, withBackstage, output);
  auditCommands(program, withBackstage, output);
  clientCommands(program, withBackstage, output);
  clientDocumentCommands(program, withBackstage, output);
  providerCommands(program, withBackstage, output);
  settingCommands(program, withBackstage, output);
  registrationTokenCommands(program, withBackstage, output);
  sessionCommands(program, withBackstage, output);
  userCommands(program, withBackstage, output);
  roleCommands(program, withBackstage, output);
  claimCommands(program, withBackstage, output);
  tokenCommands(program, withBackstage, output);
  invitationCommands(program, withBackstage, output);
  logoutCommands(program, withBackstage, output);
  mailCommands(program, withBackstage, output);
  keyCommands(program, withBackstage, output);
  secretCommands(program, withBackstage, output);
  fileCommands(program, withBackstage, output);
  configCommands(program, output);
  themeCommands(program, output);
  program.commands.forEach(inherit);
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
    if (error instanceof Ended) return error.code;
    const known = error instanceof ConfigError || error instanceof FilesError || isGatehouseError(error);
    process.stderr.write(
      `error: ${known ? reason(error) : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return FAILED;
  }
}

/** Every command throws instead of leaving the process, so that the store is closed. */
function inherit(command: Command): void {
  command.exitOverride().showHelpAfterError('(run with --help for the ways to call this)');
  command.commands.forEach(inherit);
}
