/** How signing keys follow one another: the `keys` section. */
import { z } from 'zod';
import { seconds } from './values.ts';

export const signingKeys = z.strictObject({
  algorithms: z
    .array(z.enum(['ES256', 'RS256', 'PS256', 'EdDSA'], 'must be ES256, RS256, PS256 or EdDSA'))
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'names one twice')
    .default(['ES256', 'RS256'])
    .meta({
      description:
        'What there are signing keys for: `ES256`, `RS256`, `PS256`, `EdDSA`. The first signs access tokens; `RS256` must be among them.',
    }),
  rotation: z.int().min(0).default(7_776_000).meta({
    description: 'How long a key signs before the next one takes over. 0: only by `keys rotate`. In seconds.',
  }),
  lead: seconds(86_400, 'How long the next key is published before it signs.'),
  cache: seconds(900, 'How long apps may keep the key set (`Cache-Control`); `keys.lead` must be longer by 2.'),
  retirement: seconds(
    2_592_000,
    'How long a key stays published after it ceased to sign: as long as tokens last, and as ID tokens are to be good as `id_token_hint`.',
  ),
  fetch_record: z.int().min(0).max(31_536_000).default(604_800).meta({
    description:
      'How long is remembered which addresses and user agents fetched the key set, for `keys list`. 0: not at all. In seconds.',
  }),
  signer: z.string().min(1).optional().meta({
    description: 'Path of a module that keeps private keys elsewhere: PKCS#11, a key management service.',
  }),
});
