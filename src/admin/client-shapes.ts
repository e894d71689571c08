/** Of what the API takes and gives about clients: their secrets. */
import { z } from 'zod';

const moment = z.string().meta({ format: 'date-time' });

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
