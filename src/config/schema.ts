/**
 * Every key of the configuration: type, default, meaning. The loader, the environment names, `config show` and
 * `config/README.md` are all derived from this one schema.
 */
import { z } from 'zod';
import { federationSchema } from './federation.ts';
import type { FederationConfig } from './federation.ts';
import { lifetimes } from './lifetimes.ts';
import { limits } from './limits.ts';
import { look } from './look.ts';
import { mail } from './mail.ts';
import { passwords } from './passwords.ts';
import { protocolSchema } from './protocol.ts';
import { factors, signingIn } from './signing-in.ts';
import { signingKeys } from './signing-keys.ts';
import { standing } from './standing.ts';
import { seconds } from './values.ts';

export const configSchema = z.strictObject({
  ...standing,
  ...look,
  ...signingIn,
  demo: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .meta({ description: 'Create a demo person at start. Refused in production.' }),
    })
    .prefault({}),
  playground: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .meta({ description: 'Serve `/playground`, a relying party that shows each step of a login.' }),
    })
    .prefault({}),
  factors: factors.prefault({}),
  portal: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .meta({ description: "Serve `/account`, a person's own page: profile, sign-in, sessions, apps, their data." }),
      delete_after: seconds(604_800, 'Time in which whoever asked to delete their account may still keep it.'),
    })
    .prefault({}),
  admin: z
    .strictObject({
      console: z.boolean().default(true).meta({ description: 'Serve the console, pages for admins, at `/admin`.' }),
      api: z.boolean().default(true).meta({ description: 'Serve the admin API at `/admin/api`.' }),
    })
    .prefault({}),
  audit: z
    .strictObject({
      retention: seconds(31_536_000, 'How long what happened to accounts is kept.'),
      tokens: z.boolean().default(true).meta({
        description:
          'Keep a record of each token that is issued, refreshed or revoked; it is written within half a second.',
      }),
    })
    .prefault({}),
  federation: federationSchema.prefault({}),
  ...protocolSchema,
  outbound: z
    .strictObject({
      allow_private: z.boolean().default(false).meta({
        description: 'Reach addresses named by clients (logos, keys, log-out) in private networks too, and over http.',
      }),
    })
    .prefault({}),
  mail: mail.prefault({}),
  lifetimes: lifetimes.prefault({}),
  keys: signingKeys.prefault({}),
  passwords: passwords.prefault({}),
  limits: limits.prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['silent', 'error', 'warn', 'info', 'debug'])
        .default('info')
        .meta({ description: 'Least severe level that is logged, to standard error.' }),
    })
    .prefault({}),
});

export type ConfigInput = z.input<typeof configSchema>;
export type ParsedConfig = z.output<typeof configSchema>;

/** The configuration as the program uses it: every open question answered. */
export interface Config extends ParsedConfig {
  environment: string;
  production: boolean;
  issuer: string;
  storage: { url: string };
  secrets: { encryption_key: string; cookie_keys: string[] };
  sign_up: { enabled: boolean; verify_email: 'before_first_use' | 'later' };
  passwords: ParsedConfig['passwords'] & { breach_check: boolean; breach_check_url: string };
  federation: FederationConfig;
}
