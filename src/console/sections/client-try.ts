/** Trying an app: an admin signs in to it as themselves, and reads what it would get. */
import { setTimeout } from 'node:timers/promises';
import type { Apps } from '../../administration/apps.ts';
import { authMethod } from '../../clients/client.ts';
import type { Client } from '../../clients/client.ts';
import { hasSecret } from '../../clients/protocol.ts';
import type { InProcessHandler } from '../../http/in-process.ts';
import { isGatehouseError, notFound } from '../../kernel/errors.ts';
import type { Sessions } from '../../oidc/sessions.ts';
import type { SealedRecords } from '../../protocol/sealed-records.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Visit } from '../../visits/visit.ts';
import { keptOf, showForm, trySaving, valuesOf } from '../forms.ts';
import type { Group, Values, Wrong } from '../forms.ts';
import { principalOf } from '../place.ts';
import { createTryIt, whyNot } from '../try-it.ts';
import type { TryRun } from '../try-it.ts';

export interface TryNeeds {
  apps: Apps;
  issuer: string;
  records: Pick<SealedRecords, 'insertIfAbsent' | 'find' | 'consume' | 'destroy'>;
  sessions: Pick<Sessions, 'ofBrowser'>;
  handle: () => InProcessHandler;
}

const KIND = 'TryRun';
/** Seconds that the admin has to sign in, and the secret of the run is good for. */
const LIFE = 600;
/** Milliseconds after which every process knows of a change to a client. */
const FOLLOWED = 1100;
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

export function addTrying(desk: Desk, { apps, issuer, records, sessions, handle }: TryNeeds): void {
  const tryIt = createTryIt({ issuer, callback: `${issuer}/admin/try/callback`, handle });
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
      lead: hasSecret(authMethod(client)) ? 'console.try.lead_secret' : 'console.try.lead',
      action: desk.url(url(client, '/try')),
      back: desk.url(url(client)),
      submit: 'console.submit.try',
      groups: GROUPS,
      values,
      wrong,
    });

  /** What the app gets for one run: our address among its own and, where it has secrets, one that ends by itself. */
  async function prepare(visit: Visit, client: Client): Promise<Pick<TryRun, 'secret' | 'secret_id'>> {
    const by = principalOf(visit);
    if (!client.redirect_uris.includes(tryIt.callback))
      await apps.update(by, 'app', client.id, { redirect_uris: [...client.redirect_uris, tryIt.callback] });
    if (!hasSecret(authMethod(client))) return { secret: null, secret_id: null };
    const made = await apps.addSecret(by, 'app', client.id, { expires_in: LIFE });
    return { secret: made.client_secret!, secret_id: made.client.secret_facts!.id };
  }

  /** Takes that away again; somebody else may have done so, or removed the app. */
  async function tidy(visit: Visit, { client_id, secret_id }: Pick<TryRun, 'client_id' | 'secret_id'>): Promise<void> {
    const by = principalOf(visit);
    try {
      if (secret_id !== null) await apps.revokeSecret(by, 'app', client_id, secret_id);
    } catch (error) {
      if (!isGatehouseError(error, 'not_found')) throw error;
    }
    try {
      const { redirect_uris } = await apps.get('app', client_id);
      const others = redirect_uris.filter((uri) => uri !== tryIt.callback);
      if (others.length < redirect_uris.length) await apps.update(by, 'app', client_id, { redirect_uris: others });
    } catch (error) {
      if (!isGatehouseError(error, 'not_found')) throw error;
    }
  }

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
      const tried = await trySaving(GROUPS, () => prepare(visit, client));
      if ('stale' in tried) throw new Error('no version is named');
      if ('wrong' in tried) {
        await tidy(visit, { client_id: client.id, secret_id: null });
        return show(visit, client, values, tried.wrong);
      }
      await setTimeout(FOLLOWED);
      const { scope = '', resource } = values;
      const wanted = {
        ...tried.saved,
        account_id: visit.account.id,
        scope: scope === '' ? 'openid' : scope,
        resource: resource === '' ? undefined : resource,
      };
      const begun = await tryIt.begin(client, wanted).catch(async (error: unknown) => {
        await tidy(visit, { client_id: client.id, secret_id: tried.saved.secret_id });
        throw error;
      });
      if ('refused' in begun) {
        await tidy(visit, { client_id: client.id, secret_id: tried.saved.secret_id });
        return show(visit, client, values, { field: 'scope', plain: begun.refused });
      }
      await records.insertIfAbsent(KIND, begun.run.state, { run: begun.run, browser: visit.session.uid }, LIFE);
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
      await tidy(visit, run);
      await records.destroy(KIND, run.state);
    }
  });
}
