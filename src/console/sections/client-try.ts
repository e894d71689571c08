/** Trying an app: an admin signs in to it as themselves, and reads what it would get. */
import type { Apps } from '../../administration/apps.ts';
import type { Client } from '../../clients/client.ts';
import type { InProcessHandler } from '../../http/in-process.ts';
import { notFound } from '../../kernel/errors.ts';
import type { Sessions } from '../../oidc/sessions.ts';
import type { Trials } from '../../oidc/trials.ts';
import type { SealedRecords } from '../../protocol/sealed-records.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Visit } from '../../visits/visit.ts';
import { keptOf, showForm, valuesOf } from '../forms.ts';
import type { Group, Values, Wrong } from '../forms.ts';
import { createTryIt, whyNot } from '../try-it.ts';
import type { TryRun } from '../try-it.ts';

export interface TryNeeds {
  apps: Apps;
  issuer: string;
  trials: Trials;
  records: Pick<SealedRecords, 'insertIfAbsent' | 'find' | 'consume' | 'destroy'>;
  sessions: Pick<Sessions, 'ofBrowser'>;
  handle: () => InProcessHandler;
}

const KIND = 'TryRun';
const USUAL = 'openid profile email';

const GROUPS: Group[] = [
  {
    heading: null,
    controls: [
      { name: 'scope', kind: 'text', label: 'console.field.scope', optional: false },
      {
        name: 'resource',
        kind: 'text',
        label: 'console.preview.field.resource',
        hint: 'console.hint.try_resource',
        optional: true,
      },
    ],
  },
];

export function addTrying(desk: Desk, { apps, issuer, trials, records, sessions, handle }: TryNeeds): void {
  const tryIt = createTryIt({ issuer, trials, handle });
  const at = '/apps/:id/try';
  const url = ({ id }: Pick<Client, 'id'>, path = '') => `/apps/${encodeURIComponent(id)}${path}`;

  async function clientAt(visit: Visit): Promise<Client> {
    const client = await apps.get('app', parameterOf(visit, 'id'));
    if (whyNot(client) !== undefined) throw notFound(`${client.id} cannot be tried from here`);
    return client;
  }

  const show = (visit: Visit, client: Client, values: Values, wrong?: Wrong) =>
    showForm(desk, visit, {
      title: ['console.try.title', { name: client.client_name }],
      lead: 'console.try.lead',
      action: desk.url(url(client, '/try')),
      back: desk.url(url(client)),
      submit: 'console.submit.try',
      groups: GROUPS,
      values,
      wrong,
    });

  desk.get(
    at,
    async (visit) => {
      const client = await clientAt(visit);
      await show(visit, client, {
        scope: client.scope ?? USUAL,
        resource: '',
        ...desk.draft(visit, url(client, '/try')),
      });
    },
    { strong: true },
  );

  desk.post(
    at,
    async (visit) => {
      const client = await clientAt(visit);
      const values = valuesOf(visit.ctx, GROUPS);
      const { scope = '', resource } = values;
      const begun = await tryIt.begin(client, {
        account_id: visit.account.id,
        scope: scope === '' ? 'openid' : scope,
        resource: resource === '' ? undefined : resource,
      });
      if ('refused' in begun) return show(visit, client, values, { field: 'scope', plain: begun.refused });
      await records.insertIfAbsent(KIND, begun.run.state, { run: begun.run, browser: visit.session.uid }, tryIt.life);
      await desk.away(visit, begun.url);
    },
    { strong: true, back: at, keep: keptOf(GROUPS) },
  );

  /** The run that this very visit began, once. */
  async function taken(visit: Visit, state: string): Promise<TryRun | undefined> {
    const found = (await records.find(KIND, state)) as { run: TryRun; browser: string } | undefined;
    if (found?.run.account_id !== visit.account.id || found.browser !== visit.session.uid) return undefined;
    return (await records.consume(KIND, state)) ? found.run : undefined;
  }

  desk.get('/try/callback', async (visit) => {
    const query = new URLSearchParams(visit.ctx.querystring);
    const run = await taken(visit, query.get('state') ?? '');
    if (!run) throw notFound('no sign-in of this browser waits for that answer');
    try {
      const client = await apps.get('app', run.client_id);
      const own = await sessions.ofBrowser(visit.ctx);
      // Somebody else signed in on the way: what the app would get of them is none of the admin's business.
      const result = own?.account_id === run.account_id ? await tryIt.finish(client, run, query) : null;
      await desk.show(
        visit,
        'try-result',
        { name: client.client_name, result, again: desk.url(url(client, '/try')), back: desk.url(url(client)) },
        { title: ['console.try.title', { name: client.client_name }] },
      );
    } finally {
      await tryIt.close(run);
      await records.destroy(KIND, run.state);
    }
  });
}
