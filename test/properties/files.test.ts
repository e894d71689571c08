/** Whatever runs, files make it what they say: at once, for good, and the same wherever it began. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify as write } from 'yaml';
import { apply, exported, planOf } from '../support/files.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

const stringify = (value: unknown) => write(value, { aliasDuplicateObjects: false });
type Resource = Record<string, unknown>;

const API = 'https://api.example/';
const path = fc.constantFrom('a', 'b', 'c');
const api: fc.Arbitrary<Resource> = fc.record(
  {
    client_name: fc.constantFrom('Orders', 'x: y', '# not a comment', '- dash', '"', 'null', '12', 'Ünïcode 名'),
    access_token_format: fc.constantFrom('jwt', 'opaque'),
    scope: fc.constantFrom('read', 'read write'),
  },
  { requiredKeys: ['client_name'] },
);
const common = {
  client_name: fc.constantFrom('Shop', 'true', '~', '{a: 1}', 'a\tb', "it's", '5e3'),
  scope: fc.constantFrom('openid', 'openid email'),
};
const app: fc.Arbitrary<Resource> = fc.record(
  {
    ...common,
    redirect_uris: fc.uniqueArray(
      path.map((one) => `https://app.example/${one}`),
      { minLength: 1 },
    ),
    post_logout_redirect_uris: fc.uniqueArray(path.map((one) => `https://app.example/out/${one}`)),
    first_party: fc.boolean(),
    logo_uri: fc.constant('https://app.example/logo.png'),
    default_acr_values: fc.constantFrom([], ['urn:gatehouse:acr:2']),
    require_pushed_authorization_requests: fc.boolean(),
    default_max_age: fc.constantFrom(0, 60),
    subject_type: fc.constantFrom('public', 'pairwise'),
    backchannel_logout_uri: fc.constant('https://app.example/ended'),
    default_resource: fc.constant(`${API}a`),
    id_token_signed_response_alg: fc.constantFrom('RS256', 'ES256'),
  },
  { requiredKeys: ['client_name', 'redirect_uris'] },
);

/** Ids have a type for good, so that any two worlds can follow each other. */
const world: fc.Arbitrary<Resource[]> = fc
  .record({
    apis: fc.dictionary(path, api, { noNullPrototype: true }),
    web: fc.dictionary(path, app, { noNullPrototype: true }),
    spa: fc.dictionary(path, app, { noNullPrototype: true }),
  })
  .map(({ apis, web, spa }) => {
    const known = 'a' in apis;
    const fit = (type: string, id: string, { default_resource, ...rest }: Resource): Resource => ({
      kind: 'client',
      client_id: `${type}-${id}`,
      type,
      ...rest,
      ...(known && default_resource !== undefined ? { default_resource } : {}),
    });
    return [
      ...Object.entries(web).map(([id, one]) => fit('web', id, one)),
      ...Object.entries(apis).map(([id, one]) => ({
        kind: 'api',
        client_id: `api-${id}`,
        resource: `${API}${id}`,
        ...one,
      })),
      ...Object.entries(spa).map(([id, one]) => fit('spa', id, one)),
    ];
  });

describe('resources in files', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  it('are there after one run from wherever it began, and a second one has nothing to do', async () => {
    await fc.assert(
      fc.asyncProperty(world, world, fc.boolean(), async (before, wanted, asList) => {
        await apply(gatehouse, stringify(before), { prune: true });
        const text = asList ? stringify(wanted) : wanted.map(stringify).join('---\n');
        await apply(gatehouse, text, { prune: true });
        expect(await planOf(gatehouse, text, { prune: true })).toEqual([]);
        const written = await exported(gatehouse);
        expect(await planOf(gatehouse, written, { prune: true })).toEqual([]);
        const { items } = await gatehouse.clients.list({ after: undefined, limit: 100 });
        const ids = wanted.map(({ client_id }) => client_id as string);
        expect(
          items
            .filter(({ id }) => /^(web|spa|api)-/.test(id))
            .map(({ id }) => id)
            .sort(),
        ).toEqual(ids.sort());
      }),
      { numRuns: 60 },
    );
  });

  it('are the same in the end when a run stops halfway and begins again', async () => {
    await fc.assert(
      fc.asyncProperty(world, world, fc.nat({ max: 6 }), async (before, wanted, stopAt) => {
        await apply(gatehouse, stringify(before), { prune: true });
        const steps = await planOf(gatehouse, stringify(wanted), { prune: true });
        for (const step of steps.slice(0, stopAt)) await step.run();
        await apply(gatehouse, stringify(wanted), { prune: true });
        const written = await exported(gatehouse);
        await apply(gatehouse, stringify([]), { prune: true });
        await apply(gatehouse, stringify(wanted), { prune: true });
        expect(await exported(gatehouse)).toBe(written);
      }),
      { numRuns: 40 },
    );
  });
});
