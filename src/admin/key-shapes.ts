/** What the API tells of signing keys: never what is private of them. */
import { z } from 'zod';
import { SIGNING_ALGORITHMS } from '../keys/signing-key.ts';
import { named } from './schemas.ts';

const moment = z.string().meta({ format: 'date-time' });
const about = {
  id: z.string().meta({ description: 'Its `kid`.' }),
  alg: z.enum(SIGNING_ALGORITHMS),
  state: z.enum(['next', 'active', 'retiring', 'removed']),
};

const key = z.object({
  ...about,
  held: z.string().meta({ description: 'Where the private key is: in the store, sealed, or with an external signer.' }),
  created_at: moment,
  compromised: z.boolean(),
  since: moment,
  next_state: z.enum(['active', 'retiring', 'removed']).nullable(),
  next_change_at: moment.nullable().meta({ description: 'At the earliest.' }),
});
named.add(key, { id: 'SigningKey' });

export const keys = z.object({
  keys: z.array(key),
  fetched_since: moment.nullable(),
  fetched: z.array(z.object({ address: z.string(), user_agent: z.string(), fetches: z.int(), last_at: moment })),
});
named.add(keys, { id: 'SigningKeys' });

export const changedKeys = z.object({
  items: z.array(
    z.object({
      ...about,
      signs_at: moment.nullable().meta({ description: 'Of one that was published.' }),
      removed_at: moment.nullable(),
    }),
  ),
});
named.add(changedKeys, { id: 'ChangedSigningKeys' });
