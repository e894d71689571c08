/** The secrets of an app or API: made, seen once, and ended. */
import type { Client } from '../../clients/client.ts';
import { factsOf, SECRET_OVERLAP } from '../../clients/secrets.ts';
import type { SecretFacts } from '../../clients/secrets.ts';
import type { Registered } from '../../clients/clients.ts';
import { notFound } from '../../kernel/errors.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Visit } from '../../visits/visit.ts';
import { showConfirmation } from '../confirm.ts';
import { keptOf, showForm, trySaving, valuesOf } from '../forms.ts';
import type { Control, Group, Values, Wrong } from '../forms.ts';
import { principalOf } from '../place.ts';
import type { ClientNeeds, Shelf } from './clients.ts';

/** Days that are offered. */
const OVERLAPS = { at_once: 0, hour: 3600, day: SECRET_OVERLAP, week: 7 * 86_400, month: 30 * 86_400 };
const LIVES = { never: '', month: 30 * 86_400, quarter: 90 * 86_400, half: 182 * 86_400, year: 365 * 86_400 };

const choice = (name: string, offered: Record<string, number | string>): Control => ({
  name,
  kind: 'select',
  label: `console.field.${name}`,
  hint: `console.hint.${name}`,
  optional: true,
  options: Object.entries(offered).map(([key, value]) => ({ value: String(value), key: `console.period.${key}` })),
});

const ROTATE: Group[] = [{ heading: null, controls: [choice('overlap', OVERLAPS), choice('expires_in', LIVES)] }];
const ADD: Group[] = [{ heading: null, controls: [choice('expires_in', LIVES)] }];

const number = (text: string | undefined): number | undefined => (text ? Number(text) : undefined);

/** The one page that shows a secret: it is nowhere else, nor here once the page is closed. */
export const showSecret = (desk: Desk, visit: Visit, { id }: Shelf, client: Client, secret: string): Promise<void> =>
  desk.show(
    visit,
    'secret',
    {
      name: client.client_name,
      client_id: client.id,
      secret,
      done_url: desk.url(`/${id}/${encodeURIComponent(client.id)}`),
    },
    { title: ['console.title.secret', { name: client.client_name }] },
  );

/** What a secret is told apart by. */
const named = ({ last_four, id }: SecretFacts): string => (last_four === null ? id : `…${last_four}`);

/** As the page of its client lists them. */
export const shownSecrets = <T>(client: Client, url: (path: string) => string, day: (at: string) => T) =>
  factsOf(client).map((one) => ({
    name: named(one),
    since: day(one.created_at),
    until: one.expires_at === null ? null : day(one.expires_at),
    revoke_url: url(`/secrets/${encodeURIComponent(one.id)}/revoke`),
  }));

export function addSecrets(desk: Desk, shelf: Shelf, { apps }: ClientNeeds): void {
  const { id: place, kind } = shelf;
  const at = `/${place}/:id`;
  const clientAt = (visit: Visit) => apps.get(kind, parameterOf(visit, 'id'));
  const url = ({ id }: Client, path = '') => `/${place}/${encodeURIComponent(id)}${path}`;

  function makes(
    path: string,
    what: 'rotate' | 'add',
    groups: Group[],
    make: (visit: Visit, client: Client, values: Values) => Promise<Registered>,
  ): void {
    const show = (visit: Visit, client: Client, values: Values, wrong?: Wrong) =>
      showForm(desk, visit, {
        title: [`console.secret_${what}.title`, { name: client.client_name }],
        lead: `console.secret_${what}.lead`,
        action: desk.url(url(client, path)),
        back: desk.url(url(client)),
        submit: 'console.submit.make_secret',
        groups,
        values,
        wrong,
      });
    const usual = { overlap: String(SECRET_OVERLAP), expires_in: '' };
    desk.get(
      at + path,
      async (visit) => {
        const client = await clientAt(visit);
        await show(visit, client, { ...usual, ...desk.draft(visit, url(client, path)) });
      },
      { strong: true },
    );
    desk.post(
      at + path,
      async (visit) => {
        const client = await clientAt(visit);
        const values = valuesOf(visit.ctx, groups);
        const tried = await trySaving(groups, () => make(visit, client, values));
        if ('stale' in tried) throw new Error('no version is named');
        if ('wrong' in tried) return show(visit, client, values, tried.wrong);
        await showSecret(desk, visit, shelf, tried.saved.client, tried.saved.client_secret!);
      },
      { strong: true, back: at + path, keep: keptOf(groups) },
    );
  }

  makes('/secret', 'rotate', ROTATE, (visit, { id }, { overlap, expires_in }) =>
    apps.rotateSecret(principalOf(visit), kind, id, { overlap: number(overlap), expires_in: number(expires_in) }),
  );
  makes('/secrets/add', 'add', ADD, (visit, { id }, { expires_in }) =>
    apps.addSecret(principalOf(visit), kind, id, { expires_in: number(expires_in) }),
  );

  const secretAt = (visit: Visit, client: Client): SecretFacts => {
    const found = factsOf(client).find(({ id }) => id === parameterOf(visit, 'secret'));
    if (!found) throw notFound(`${client.id} has no such secret`);
    return found;
  };
  const revoke = `${at}/secrets/:secret/revoke`;
  desk.get(
    revoke,
    async (visit) => {
      const client = await clientAt(visit);
      const secret = secretAt(visit, client);
      await showConfirmation(desk, visit, {
        id: factsOf(client).length > 1 ? 'secret_revoke' : 'last_secret_revoke',
        name: client.client_name,
        detail: named(secret),
        action: desk.url(url(client, `/secrets/${encodeURIComponent(secret.id)}/revoke`)),
        back: desk.url(url(client)),
        danger: true,
      });
    },
    { strong: true },
  );
  desk.post(
    revoke,
    async (visit) => {
      const client = await clientAt(visit);
      await apps.revokeSecret(principalOf(visit), kind, client.id, secretAt(visit, client).id);
      desk.done(visit, url(client), 'secret_revoked', { name: client.client_name });
    },
    { strong: true, back: revoke },
  );
}
