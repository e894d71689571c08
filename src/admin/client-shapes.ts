/** Of what the API takes and gives about clients: what is otherwise for one app, and secrets. */
import { z } from 'zod';
import { LIFETIME } from '../clients/api-settings.ts';
import { CONSENTS } from '../clients/app-settings.ts';
import { SIGNED_WITH } from '../clients/protocol.ts';
import { WARNINGS } from '../clients/look-alikes.ts';

/** Ten years: the rules know the true end. */
const LONGEST_REFRESH = 315_360_000;
const moment = z.string().meta({ format: 'date-time' });

const lifetime = (most: number) => z.int().min(LIFETIME.min).max(most);

/** What of tokens and consent is otherwise for one app. */
export const appShapes = {
  access_token_lifetime: lifetime(LIFETIME.max).meta({
    description:
      'Seconds; `lifetimes.access_token` unless it is set. Where the API has one too, the shorter one counts.',
  }),
  id_token_lifetime: lifetime(LIFETIME.max).meta({ description: 'Seconds; `lifetimes.id_token` unless it is set.' }),
  refresh_token_lifetime: lifetime(LONGEST_REFRESH).meta({
    description: 'Seconds; `lifetimes.refresh_token` unless it is set, and `lifetimes.refresh_token_absolute` at most.',
  }),
  consent: z
    .enum(CONSENTS)
    .meta({ description: '`remember`, or `always`: people are asked at each sign-in. `first_party` asks nobody.' }),
  allowed_resources: z
    .array(z.string().max(2000))
    .max(100)
    .meta({ description: 'Identifiers of the APIs that it may get tokens for; any where it is empty.' }),
  id_token_profile_claims: z.boolean().meta({
    description:
      'Whether ID tokens carry the claims of the granted scopes; where not, userinfo tells them. True unless it is set.',
  }),
};

/** What of it is worth a second look. Nothing of it is forbidden. */
export const appWarnings = z
  .array(
    z.object({
      code: z.enum(WARNINGS),
      field: z.enum(['client_name', 'redirect_uris']),
      value: z.string().meta({ description: 'What it is about: a name, a host or a redirect URI.' }),
      other: z.string().optional().meta({ description: 'What it could be taken for.' }),
      message: z.string(),
    }),
  )
  .meta({
    description: 'What could be taken for another app, or is seldom meant. The app is registered all the same.',
  });

/** What is told of a secret. */
export const secretFacts = z.array(
  z.object({
    id: z.string(),
    last_four: z.string().nullable().meta({ description: 'Its last characters; null where that was not kept.' }),
    created_at: moment,
    expires_at: moment.nullable().meta({ description: 'From then on it is refused; null never.' }),
  }),
);

const expires_in = z.int().optional().meta({ description: 'Seconds after which it is refused; absent never.' });

/** How long a new secret is good for. */
export const secretLife = z.strictObject({ expires_in }).optional();
/** How long, and how long the one before. */
export const rotation = z
  .strictObject({
    expires_in,
    overlap: z
      .int()
      .optional()
      .meta({ description: 'Seconds that the secret before goes on working: 86400 unless given, 0 ends it at once.' }),
  })
  .optional();

export const signing = z.enum(SIGNED_WITH);
export const scope = z.string().max(4000).meta({ description: 'Scopes, separated by spaces.' });
export const clientName = z.string().max(200);
/** Of the one answer that holds the secret. */
export const told = {
  client_secret: z.string().optional().meta({ description: 'Told this once.' }),
};
export const warned = { warnings: appWarnings };
