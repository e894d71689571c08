/**
 * A program in a terminal that signs a person in on another device (RFC 8628): it shows a code, as text and to be scanned, and waits. What it
 * gets it keeps in a file that only its person can read; the next time it needs no code.
 */
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import * as oidc from 'openid-client';
import { renderUnicodeCompact } from 'uqr';

const DEFAULTS = {
  ISSUER: 'http://localhost:3000',
  CLIENT_ID: '',
  TOKENS: path.join(homedir(), '.gatehouse-example.json'),
};

export interface Io {
  say(line: string): void;
  /** Ends the waiting. */
  signal?: AbortSignal;
}

async function discover({ ISSUER, CLIENT_ID }: typeof DEFAULTS): Promise<oidc.Configuration> {
  // Plain http is for a provider on this machine.
  const execute = new URL(ISSUER).protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
  return oidc.discovery(new URL(ISSUER), CLIENT_ID, undefined, oidc.None(), { execute });
}

async function keptToken(file: string): Promise<string | undefined> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as { refresh_token: string }).refresh_token;
  } catch {
    return undefined;
  }
}

async function keep(file: string, refresh_token: string | undefined): Promise<void> {
  if (refresh_token === undefined) return;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ refresh_token }), { mode: 0o600 });
  await chmod(file, 0o600); // also where the file was there before
}

async function signIn(config: oidc.Configuration, { say, signal }: Io): Promise<oidc.TokenEndpointResponse> {
  const device = await oidc.initiateDeviceAuthorization(config, { scope: 'openid profile email offline_access' });
  const { user_code, verification_uri, verification_uri_complete = verification_uri } = device;
  say(renderUnicodeCompact(verification_uri_complete));
  say(`Scan this, or go to ${verification_uri} and enter ${user_code}`);
  return oidc.pollDeviceAuthorizationGrant(config, device, undefined, signal ? { signal } : {});
}

/** With a token from before, else with a new sign-in. */
async function tokens(config: oidc.Configuration, file: string, io: Io): Promise<oidc.TokenEndpointResponse> {
  const kept = await keptToken(file);
  if (kept !== undefined) {
    try {
      return await oidc.refreshTokenGrant(config, kept);
    } catch (error) {
      if (!(error instanceof oidc.ResponseBodyError)) throw error;
      io.say('The last sign-in is over.');
    }
  }
  return signIn(config, io);
}

async function signOut(config: oidc.Configuration, file: string): Promise<void> {
  const kept = await keptToken(file);
  if (kept !== undefined) await oidc.tokenRevocation(config, kept);
  await rm(file, { force: true });
}

/** @param command `whoami` (the default) or `logout`. */
export async function run(command: string, env: Partial<typeof DEFAULTS>, io: Io): Promise<void> {
  const settings = { ...DEFAULTS, ...env };
  if (settings.CLIENT_ID === '') throw new Error('set CLIENT_ID: see the README beside this file');
  const config = await discover(settings);
  if (command === 'logout') {
    await signOut(config, settings.TOKENS);
    io.say('Signed out.');
    return;
  }
  const { access_token, refresh_token } = await tokens(config, settings.TOKENS, io);
  await keep(settings.TOKENS, refresh_token);
  const { name, email } = await oidc.fetchUserInfo(config, access_token, oidc.skipSubjectCheck);
  io.say(`Signed in as ${name} <${email}>`);
}

if (import.meta.main) {
  const { ISSUER, CLIENT_ID, TOKENS } = process.env;
  const env = Object.fromEntries(
    Object.entries({ ISSUER, CLIENT_ID, TOKENS }).filter(([, value]) => value !== undefined),
  );
  await run(process.argv[2] ?? 'whoami', env, { say: (line) => console.log(line) }).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
