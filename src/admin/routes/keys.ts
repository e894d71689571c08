/** The keys that sign tokens. */
import { z } from 'zod';
import { SIGNING_ALGORITHMS } from '../../keys/signing-key.ts';
import type { SigningKey } from '../../keys/signing-key.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import * as shapes from '../key-shapes.ts';

const algorithms = z.array(z.enum(SIGNING_ALGORITHMS)).min(1).max(SIGNING_ALGORITHMS.length);
const facts = ({ id, alg, state, signs_at, ends_at }: SigningKey) => ({
  id,
  alg,
  state,
  signs_at: state === 'next' ? signs_at : null,
  removed_at: state === 'removed' ? ends_at : null,
});
const changed = (keys: SigningKey[]) => ({ body: { items: keys.map(facts) } });

export const keyRoutes: Route[] = [
  route({
    id: 'listSigningKeys',
    method: 'GET',
    path: '/keys',
    scope: 'keys:read',
    tag: 'Keys',
    summary:
      'What each signing key does now and what comes next, and who fetched the key set since the newest was published',
    answer: { status: 200, schema: shapes.keys },
    run: async ({ keys }) => ({ body: await keys.overview() }),
  }),
  route({
    id: 'rotateSigningKeys',
    method: 'POST',
    path: '/keys/rotate',
    scope: 'keys:write',
    tag: 'Keys',
    summary:
      'Publish the next key of each algorithm, which signs after `keys.lead`; none where one is published already',
    body: z.strictObject({ algorithms: algorithms.optional() }).optional(),
    answer: { status: 200, schema: shapes.changedKeys },
    run: async ({ keys }, { body }) => changed(await keys.rotation.rotate(body?.algorithms)),
  }),
  route({
    id: 'removeSigningKeys',
    method: 'POST',
    path: '/keys/compromised',
    scope: 'keys:write',
    tag: 'Keys',
    summary: 'Remove all keys of algorithms now, because somebody else may have them',
    description:
      'New ones sign at once, and within a second all that the removed ones signed is refused everywhere: the token of this very request too, where one of them signed it.',
    body: z.strictObject({ algorithms }),
    answer: { status: 200, schema: shapes.changedKeys },
    run: async ({ keys }, { body }) => changed(await keys.rotation.compromise({ algorithms: body.algorithms })),
  }),
  route({
    id: 'removeSigningKey',
    method: 'POST',
    path: '/keys/{key_id}/compromised',
    scope: 'keys:write',
    tag: 'Keys',
    summary: 'Remove one key now, because somebody else may have it',
    params: z.strictObject({ key_id: z.string().max(200) }),
    answer: { status: 200, schema: shapes.changedKeys },
    run: async ({ keys }, { params: { key_id } }) => changed(await keys.rotation.compromise({ id: key_id })),
  }),
];
