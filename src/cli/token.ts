import type { Command } from 'commander';
import { OPERATOR } from '../administration/principal.ts';
import type { Origin, Preview, TokenView } from '../administration/token-preview.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

interface Options {
  person?: string;
  scope?: string[];
  api?: string;
  json?: boolean;
}

const COLUMNS = ['token', 'claim', 'value', 'from'];

const collect = (value: string, before: string[] = []) => [...before, value];

function at(claims: Record<string, unknown>, path: string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], claims);
}

/** Of a claim table: the app's own, or the one for every app. */
const rowOf = (table: Origin['table'], row: number | undefined) =>
  `row ${row} of ${table === 'own' ? 'its claim table' : 'the claim table for every app'}`;

const sourceOf = ({ from, scope, table, row }: Origin): string =>
  from === 'table' ? rowOf(table, row) : from === 'scope' ? `scope ${scope}` : 'the protocol';

const rowsOf = (token: string, { claims, origins, skipped }: TokenView) => [
  ...origins.map((origin) => ({
    token,
    claim: origin.claim.join(' > '),
    value: JSON.stringify(at(claims, origin.claim)),
    from: sourceOf(origin),
  })),
  ...skipped.map(({ claim, table, row, why }) => ({
    token,
    claim: claim.join(' > '),
    value: '',
    from: `left out (${why}) by ${rowOf(table, row)}`,
  })),
];

function show(output: Output, preview: Preview): void {
  const { id_token, access_token, userinfo, scope, sub, roles, permissions, groups } = preview;
  const { format, resource, lifetime } = access_token;
  output.one(
    {
      sub,
      scope,
      access_token: format,
      audience: resource,
      lifetime,
      roles: Object.keys(roles),
      permissions: Object.keys(permissions),
      groups,
    },
    {},
  );
  const views: [string, TokenView | null][] = [
    ['id_token', id_token],
    ['access_token', access_token],
    ['userinfo', userinfo],
  ];
  output.many(
    views.flatMap(([name, view]) => (view ? rowsOf(name, view) : [])),
    COLUMNS,
    {},
  );
}

/** `token preview`. */
export function tokenCommands(program: Command, session: Session, output: Output): void {
  const token = program.command('token').description('What apps get.');

  token
    .command('preview <client_id>')
    .description(
      'Which tokens an app would get for a person, and where each claim comes from. Nothing is issued. An app known by a document is named by its URL.',
    )
    .option('--person <who>', 'by sub or e-mail; none for a service')
    .option('--scope <scope>', 'scope that it asks for; may be repeated; openid profile email if none', collect)
    .option(
      '--api <resource>',
      'identifier of the API that the access token is for; the default one of the app if none',
    )
    .option('--json', 'print one JSON document')
    .action((client_id: string, { person, scope, api, json }: Options) =>
      session(async ({ commandPreview }) => {
        const preview = await (
          await commandPreview()
        ).of(OPERATOR, { client_id, person, scope: scope?.join(' '), resource: api });
        if (json) output.one({ ...preview }, { json });
        else show(output, preview);
      }),
    );
}
