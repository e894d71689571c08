/** Token preview: which tokens an app would get for a person, and where each claim comes from. */
import type { Origin, Preview, PreviewInput, TokenPreview, TokenView } from '../../administration/token-preview.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import type { Desk, Section, Visit } from '../../visits/visit.ts';
import { asked } from '../lists.ts';
import { principalOf } from '../place.ts';

interface Needs {
  preview: TokenPreview;
}

const FIELDS = ['client_id', 'person', 'scope', 'resource'] as const;

function at(claims: Record<string, unknown>, path: string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], claims);
}

const shownToken = (name: string, view: TokenView) => ({
  name,
  rows: view.origins.map((origin: Origin) => ({
    ...origin,
    claim: origin.claim.join(' > '),
    value: JSON.stringify(at(view.claims, origin.claim)),
  })),
  skipped: view.skipped.map((one) => ({ ...one, claim: one.claim.join(' > ') })),
  json: JSON.stringify(view.claims, null, 2),
});

const shown = ({ id_token, access_token, userinfo, ...about }: Preview) => ({
  ...about,
  format: access_token.format,
  resource: access_token.resource,
  lifetime: access_token.lifetime,
  tokens: [
    ...(id_token ? [shownToken('id_token', id_token)] : []),
    shownToken('access_token', access_token),
    ...(userinfo ? [shownToken('userinfo', userinfo)] : []),
  ],
  roles: Object.entries(about.roles).map(([name, from]) => ({ name, from })),
  permissions: Object.entries(about.permissions).map(([name, from]) => ({ name, from })),
});

/** What speaks against it is said beside the form. */
async function made(visit: Visit, { preview }: Needs, input: Record<string, string>) {
  if (input['client_id'] === '') return { result: null, wrong: null };
  const said = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== ''));
  try {
    const result = await preview.of(principalOf(visit), said as unknown as PreviewInput);
    return { result: shown(result), wrong: null };
  } catch (error) {
    if (!isGatehouseError(error) || error.code === 'unavailable') throw error;
    return { result: null, wrong: error.message };
  }
}

export function previewSection(needs: Needs): Section {
  return {
    id: 'preview',
    group: 'apps',
    path: '/preview',
    add(desk: Desk) {
      desk.get('/preview', async (visit) => {
        const values = Object.fromEntries(FIELDS.map((name) => [name, asked(visit.ctx, name)]));
        const { result, wrong } = await made(visit, needs, values);
        await desk.show(
          visit,
          'preview',
          { values, result, wrong, action: desk.url('/preview') },
          { title: ['console.preview.title'], status: wrong === null ? 200 : 400 },
        );
      });
    },
  };
}
