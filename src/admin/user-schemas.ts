/** The shapes of people, and of what is theirs. */
import { z } from 'zod';
import { clearables, moment, name, optionals, text, url } from './schema-parts.ts';

const claimTexts = {
  given_name: text(200),
  family_name: text(200),
  middle_name: text(200),
  nickname: text(200),
  preferred_username: text(200),
  profile: url,
  website: url,
  gender: text(200),
  birthdate: text(10),
  zoneinfo: text(100),
  locale: text(100),
  phone_number: text(50),
};
const address = z.record(z.string().max(50), text(1000));

export const user = name(
  'User',
  z.object({
    sub: z.string().meta({ description: 'Opaque and stable: the `sub` of every token.' }),
    email: z.string(),
    email_verified: z.boolean(),
    name: z.string(),
    picture: z.string().nullable(),
    claims: z.object({
      ...optionals(Object.fromEntries(Object.keys(claimTexts).map((key) => [key, z.string()]))),
      phone_number_verified: z.boolean().optional(),
      address: z.record(z.string(), z.string()).optional(),
    }),
    roles: z.array(z.string()).meta({ description: 'Their own; those of their groups are theirs too.' }),
    groups: z.array(z.string()),
    state: z.enum(['active', 'suspended', 'deleting']),
    erase_at: moment.nullable().optional(),
    has_password: z.boolean(),
    must_change_password: z
      .boolean()
      .meta({ description: 'Whoever signs in with the password chooses another one before they go on.' }),
    created_at: moment,
    updated_at: moment,
    last_sign_in_at: moment.nullable(),
  }),
);

const roles = z.array(text(100)).max(100);
const groups = z.array(text(100)).max(100);

export const newUser = name(
  'NewUser',
  z.strictObject({
    email: text(320),
    name: text(200),
    password: text(1000)
      .optional()
      .meta({ description: 'Checked as at sign-up. None: a passkey, a mail or an upstream.' }),
    email_verified: z.boolean().optional().meta({ description: 'The address is known to be theirs.' }),
    roles: roles.optional(),
    groups: groups.optional(),
  }),
);

export const userChange = name(
  'UserChange',
  z
    .strictObject({
      name: text(200).optional(),
      picture: url.nullable().optional(),
      email_verified: z.boolean().optional(),
      roles: roles.optional(),
      groups: groups.optional(),
      claims: z
        .strictObject({
          ...clearables(claimTexts),
          phone_number_verified: z.boolean().nullable().optional(),
          address: address.nullable().optional(),
        })
        .optional(),
    })
    .meta({ description: 'What is absent stays, what is null goes (RFC 7396).' }),
);

const assignment = z.strictObject({ roles: roles.optional(), groups: groups.optional() });
export const reassignment = name(
  'Reassignment',
  z.strictObject({ add: assignment.optional(), remove: assignment.optional() }),
);

export const newPassword = name('NewPassword', z.strictObject({ password: text(1000) }));
export const newEmail = name(
  'NewEmail',
  z.strictObject({
    email: text(320),
    confirmed: z
      .boolean()
      .optional()
      .meta({ description: 'It is known to be theirs: change it now. Else a link is mailed there.' }),
  }),
);

export const unlocked = name('Unlocked', z.object({ sub: z.string(), counters_cleared: z.int() }));

export const signInMethods = name(
  'SignInMethods',
  z.object({
    has_password: z.boolean(),
    identities: z.array(
      z.object({
        provider: z.string(),
        issuer: z.string(),
        subject: z.string(),
        email: z.string().nullable(),
        created_at: moment,
        last_used_at: moment,
      }),
    ),
    passkeys: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        synced: z.boolean(),
        backed_up: z.boolean(),
        created_at: moment,
        last_used_at: moment.nullable(),
      }),
    ),
    second_factors: z.object({
      totp: z.boolean(),
      totp_since: moment.nullable(),
      totp_last_used_at: moment.nullable(),
      passkeys: z.int(),
      recovery_codes_left: z.int(),
      recovery_codes_since: moment.nullable(),
      remembered_devices: z.array(
        z.object({ id: z.string(), name: z.string(), created_at: moment, last_used_at: moment, expires_at: z.int() }),
      ),
    }),
  }),
);

export const session = name(
  'Session',
  z.object({
    id: z.string(),
    address: z.string(),
    user_agent: z.string(),
    began_at: moment,
    last_seen_at: moment,
    clients: z.array(z.string()).meta({ description: 'Ids of the apps it signed in to.' }),
  }),
);

export const sessionOfSomebody = name(
  'SessionOfSomebody',
  session.extend({ sub: z.string().meta({ description: 'Whose it is.' }) }),
);

export const consent = name(
  'Consent',
  z.object({
    client_id: z.string(),
    scopes: z.array(z.string()),
    declined: z.array(z.string()),
    resources: z.record(z.string(), z.array(z.string())),
    created_at: moment,
    updated_at: moment,
    last_used_at: moment.optional(),
  }),
);
