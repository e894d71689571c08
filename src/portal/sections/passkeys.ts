import type { Factors } from '../../factors/factors.ts';
import { PASSKEY_NAME_MAX } from '../../factors/passkey.ts';
import type { Passkey } from '../../factors/passkey.ts';
import { MOST_PASSKEYS } from '../../factors/passkeys.ts';
import type { Passkeys } from '../../factors/passkeys.ts';
import { field } from '../../http/body.ts';
import { isGatehouseError, notFound } from '../../kernel/errors.ts';
import { datesFor } from '../dates.ts';
import { parameterOf } from '../section.ts';
import type { Desk, Section, Visit } from '../section.ts';
import { tryWithin } from '../tries.ts';
import type { TryNeeds } from '../tries.ts';

interface Needs extends TryNeeds {
  passkeys: Passkeys | undefined;
  factors: Pick<Factors, 'of' | 'isLast'>;
  vault: { lookupKey(kind: string, id: string): string };
  /** Recovery codes stand in for a lost passkey. */
  hasFactors(): boolean;
}

/** Why no passkey came of it, as a key of the catalogue, and the status of the page that says so. */
interface Problem {
  key: string;
  status: number;
  count?: number;
}

const PROBLEMS: Record<string, Problem> = {
  stale: { key: 'portal.passkeys_add.problem.stale', status: 400 },
  refused: { key: 'portal.passkeys_add.problem.refused', status: 400 },
  taken: { key: 'passkeys.problem.taken', status: 409 },
  too_many: { key: 'passkeys.problem.too_many', status: 409 },
};

/** Only the session that asked may answer. */
const bindingOf = ({ session }: Visit) => `account page:${session.uid}`;

/** Passkeys: seen, named, added and taken away. */
export function passkeysSection(needs: Needs): Section | undefined {
  const { passkeys, factors, vault, hasFactors } = needs;
  if (!passkeys) return undefined;
  const idOf = ({ credential_id }: Passkey) => vault.lookupKey('passkey on a page', credential_id);

  async function find(visit: Visit): Promise<Passkey> {
    const id = parameterOf(visit, 'id');
    const passkey = (await passkeys!.list(visit.account.id)).find((one) => idOf(one) === id);
    if (!passkey) throw notFound('There is no such passkey.');
    return passkey;
  }

  /** Why it must stay. */
  async function keptBy({ account }: Visit): Promise<'last_way' | 'last_factor' | null> {
    if (await passkeys!.isLastWayIn(account.id)) return 'last_way';
    return (await factors.isLast(account)) ? 'last_factor' : null;
  }

  async function list(desk: Desk, visit: Visit): Promise<void> {
    const [all, { recovery_codes_left }] = await Promise.all([
      passkeys!.list(visit.account.id),
      factors.of(visit.account.id),
    ]);
    await desk.show(visit, 'passkeys', (_t, { lang }) => {
      const dates = datesFor(lang, visit.account);
      return {
        passkeys: all.map((one) => ({
          name: one.name,
          synced: one.synced,
          since: dates.day(one.created_at),
          last_used: one.last_used_at === null ? null : dates.moment(one.last_used_at),
          rename_url: desk.url(`/passkeys/${idOf(one)}/rename`),
          remove_url: desk.url(`/passkeys/${idOf(one)}/remove`),
        })),
        add_url: desk.url('/passkeys/add'),
        codes_url: hasFactors() && all.length > 0 && recovery_codes_left === 0 ? desk.url('/recovery-codes') : null,
      };
    });
  }

  const showAdding = (desk: Desk, visit: Visit, problem?: Problem) =>
    desk.show(
      visit,
      'passkeys-add',
      {
        passkey: { action: desk.url('/passkeys/add'), options_url: desk.url('/passkeys/options') },
        problem: problem ?? null,
        back_url: desk.url('/passkeys'),
      },
      { status: problem?.status ?? 200 },
    );

  async function add(desk: Desk, visit: Visit): Promise<void> {
    let problem = 'refused';
    try {
      const tried = await tryWithin(needs, 'passkey', visit, async () => {
        const answer = await passkeys!.register(bindingOf(visit), visit.account.id, field(visit.ctx, 'credential'));
        if ('passkey' in answer) return answer.passkey;
        ({ problem } = answer);
        return undefined;
      });
      if ('wait' in tried)
        return await showAdding(desk, visit, { key: 'limited.tries', status: 429, count: tried.wait });
      if (tried.found) {
        desk.showedFactor(visit);
        return desk.done(visit, '/passkeys', 'passkey_added', { passkey: tried.found.name });
      }
    } catch (error) {
      if (isGatehouseError(error, 'conflict')) problem = 'too_many';
      else if (!isGatehouseError(error, 'invalid_input')) throw error;
    }
    return showAdding(desk, visit, PROBLEMS[problem]);
  }

  async function showRename(desk: Desk, visit: Visit, typed?: string): Promise<void> {
    const passkey = await find(visit);
    const problem = typed === undefined ? null : typed === '' ? 'missing' : 'long';
    await desk.show(
      visit,
      'passkeys-rename',
      {
        name: typed ?? passkey.name,
        name_max: PASSKEY_NAME_MAX,
        problem,
        action: desk.url(`/passkeys/${idOf(passkey)}/rename`),
        back_url: desk.url('/passkeys'),
      },
      { status: problem ? 400 : 200 },
    );
  }

  async function rename(desk: Desk, visit: Visit): Promise<void> {
    const passkey = await find(visit);
    const name = field(visit.ctx, 'name').trim();
    try {
      await passkeys!.rename(visit.account.id, passkey.credential_id, name);
    } catch (error) {
      if (!isGatehouseError(error, 'invalid_input')) throw error;
      return showRename(desk, visit, name);
    }
    return desk.done(visit, '/passkeys', 'passkey_renamed', { passkey: name });
  }

  async function showRemove(desk: Desk, visit: Visit): Promise<void> {
    const passkey = await find(visit);
    await desk.show(visit, 'passkeys-remove', {
      name: passkey.name,
      kept: await keptBy(visit),
      action: desk.url(`/passkeys/${idOf(passkey)}/remove`),
      back_url: desk.url('/passkeys'),
    });
  }

  async function remove(desk: Desk, visit: Visit): Promise<void> {
    const passkey = await find(visit);
    try {
      await passkeys!.remove(visit.account.id, passkey.credential_id);
    } catch (error) {
      if (!isGatehouseError(error, 'conflict')) throw error;
      return desk.done(visit, '/passkeys', `passkey_${(await keptBy(visit)) ?? 'busy'}`);
    }
    return desk.done(visit, '/passkeys', 'passkey_removed', { passkey: passkey.name });
  }

  return {
    id: 'passkeys',
    group: 'sign_in',
    path: '/passkeys',
    add(desk) {
      const adding = { strong: true, back: '/passkeys/add' };
      const removing = { strong: true, back: '/passkeys/:id/remove' };
      desk.get('/passkeys', (visit) => list(desk, visit));
      desk.get(
        '/passkeys/add',
        async (visit) => {
          const full = (await passkeys.list(visit.account.id)).length >= MOST_PASSKEYS;
          await showAdding(desk, visit, full ? PROBLEMS['too_many'] : undefined);
        },
        { strong: true },
      );
      desk.post(
        '/passkeys/options',
        async (visit) => {
          visit.ctx.set('Cache-Control', 'no-store');
          visit.ctx.body = await passkeys.registrationOptions(bindingOf(visit), visit.account);
        },
        adding,
      );
      desk.post('/passkeys/add', (visit) => add(desk, visit), adding);
      desk.get('/passkeys/:id/rename', (visit) => showRename(desk, visit));
      desk.post('/passkeys/:id/rename', (visit) => rename(desk, visit), { back: '/passkeys/:id/rename' });
      desk.get('/passkeys/:id/remove', (visit) => showRemove(desk, visit), { strong: true });
      desk.post('/passkeys/:id/remove', (visit) => remove(desk, visit), removing);
    },
  };
}
