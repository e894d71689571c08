/** Secrets are not written into files, but where they are: `env:NAME` or `file:path`. */
import path from 'node:path';
import { z } from 'zod';
import { invalidInput } from '../kernel/errors.ts';
import { readWhole } from './load.ts';

const LARGEST = 64 * 1024;
const REFERENCE = /^(env:[A-Za-z_]\w*|file:.+)$/;

/** The message holds nothing of what was written: it may be a secret. */
export const secretReference = z
  .string({ error: 'must say where the secret is: env:NAME or file:path' })
  .regex(REFERENCE, 'must say where the secret is, env:NAME or file:path: secrets are not written into these files')
  .meta({ description: 'Where the secret is: `env:NAME` or `file:path`.' });

export type Env = Record<string, string | undefined>;

/**
 * @param folder that a path starts from.
 * @returns the secret, without the line break at its end. @throws invalid_input that names the reference, never the secret.
 */
export function resolveSecret(reference: string, folder: string, env: Env): string {
  const [scheme] = reference.split(':', 1);
  const rest = reference.slice(scheme!.length + 1);
  if (scheme === 'env') {
    const value = env[rest];
    if (value === undefined || value === '') throw invalidInput(`the environment has no ${rest}`);
    return value;
  }
  const value = readWhole(path.resolve(folder, rest), LARGEST).replace(/\r?\n$/, '');
  if (value === '') throw invalidInput(`${rest} is empty`);
  return value;
}
