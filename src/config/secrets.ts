/** The two secrets everything rests on: checked in production, generated on first start elsewhere. */
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ConfigError } from './error.ts';
import type { Config, ParsedConfig } from './schema.ts';

const KEY_BYTES = 32;
const LEAST_DISTINCT = 12;

/** The key material of one key: hex if it is all hex digits, base64 (either alphabet) otherwise. */
function decodeKey(text: string): Buffer {
  return /^([0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
}

/** The encryption keys of the configuration: the first encrypts, all decrypt. */
export const decodeKeys = (text: string): Buffer[] =>
  text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map(decodeKey);

const looksGuessable = (bytes: Buffer) => new Set(bytes).size < LEAST_DISTINCT;

/** What is wrong with the secrets of a production configuration, one sentence each. */
export function secretProblems({ encryption_key: key, cookie_keys: cookies }: ParsedConfig['secrets']): string[] {
  const problems: string[] = [];
  if (!key) problems.push('secrets.encryption_key is missing; make one with: openssl rand -base64 32');
  else if (
    decodeKeys(key).length === 0 ||
    decodeKeys(key).some((one) => one.length < KEY_BYTES || looksGuessable(one))
  ) {
    problems.push('secrets.encryption_key is weak; it needs 32 random bytes in base64 or hex');
  }
  if (!cookies?.length) problems.push('secrets.cookie_keys is missing; make one with: openssl rand -base64 32');
  else if (cookies.some((cookie) => cookie.length < KEY_BYTES || looksGuessable(Buffer.from(cookie)))) {
    problems.push('secrets.cookie_keys holds a weak key; each needs at least 32 random characters');
  }
  return problems;
}

function readSecrets(file: string): Config['secrets'] {
  const shape = z.object({ encryption_key: z.string().min(1), cookie_keys: z.array(z.string().min(1)).min(1) });
  try {
    return shape.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new ConfigError([`${file} is damaged: put the backup back, or start with an empty data folder`]);
  }
}

/** Writes the file as a whole or, where another process was faster, not at all: nobody ever reads half of it. */
function createSecrets(file: string): void {
  const fresh = {
    encryption_key: randomBytes(KEY_BYTES).toString('base64'),
    cookie_keys: [randomBytes(KEY_BYTES).toString('base64')],
  };
  const whole = `${file}.${process.pid}`;
  writeFileSync(whole, `${JSON.stringify(fresh, null, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(whole, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(whole);
  }
}

/** The configured secrets, or those in `<data_dir>/secrets.json`, which is written with mode 0600 on first use. */
export function generatedSecrets(config: ParsedConfig): Config['secrets'] {
  const { encryption_key, cookie_keys } = config.secrets;
  if (encryption_key && cookie_keys) return { encryption_key, cookie_keys };
  const file = path.join(config.data_dir, 'secrets.json');
  try {
    mkdirSync(config.data_dir, { recursive: true, mode: 0o700 });
    if (!existsSync(file)) createSecrets(file);
  } catch (error) {
    throw new ConfigError([`${file} cannot be written: ${(error as Error).message}`]);
  }
  const kept = readSecrets(file);
  return { encryption_key: encryption_key ?? kept.encryption_key, cookie_keys: cookie_keys ?? kept.cookie_keys };
}
