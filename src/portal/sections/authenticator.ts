import type { Factors } from '../../factors/factors.ts';
import { field } from '../../http/body.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import { datesFor } from '../dates.ts';
import type { Desk, Section, Visit } from '../section.ts';
import { tryWithin } from '../tries.ts';
import type { TryNeeds } from '../tries.ts';

interface Needs extends TryNeeds {
  factors: Factors;
  /** Second factors are on. */
  hasFactors(): boolean;
}

/** Why a code was not taken, as a key of the catalogue. */
interface Problem {
  key: string;
  status: number;
  count?: number;
}

const STALE = 'portal.authenticator_add.stale';
/** Seconds after which a form that is sent again is taken for an old one. */
const JUST = 1800;

/** In groups of four, as people read it out. */
const inGroups = (secret: string): string => secret.match(/.{1,4}/g)!.join(' ');

/** What is under way here is of no use in another session, nor on the way to a sign-in. */
const placeOf = ({ session }: Visit) => `account page:${session.uid}`;

/** The authenticator app: set up, set up anew on another phone, taken away. */
export function authenticatorSection(needs: Needs): Section {
  const { factors, hasFactors } = needs;
  async function show(desk: Desk, visit: Visit): Promise<void> {
    const found = await factors.details(visit.account.id);
    await desk.show(visit, 'authenticator', (_t, { lang }) => {
      const dates = datesFor(lang, visit.account);
      return {
        app: found.totp_since
          ? { since: dates.day(found.totp_since), last_used: dates.moment(found.totp_last_used_at ?? found.totp_since) }
          : null,
        add_url: desk.url('/authenticator/add'),
        remove_url: desk.url('/authenticator/remove'),
        codes_url: found.totp && found.recovery_codes_left === 0 ? desk.url('/recovery-codes') : null,
      };
    });
  }

  async function showAdding(desk: Desk, visit: Visit, problem?: Problem): Promise<void> {
    const { secret, qr } = await factors.beginTotp(visit.account, placeOf(visit));
    const { totp } = await factors.of(visit.account.id);
    await desk.show(
      visit,
      'authenticator-add',
      {
        setup: { qr, secret: inGroups(secret) },
        replaces: totp,
        problem: problem ?? null,
        action: desk.url('/authenticator/add'),
        back_url: desk.url('/authenticator'),
      },
      { status: problem?.status ?? 200 },
    );
  }

  /** @returns undefined where the code was right. */
  async function problemWith(visit: Visit): Promise<Problem | undefined> {
    const code = field(visit.ctx, 'code');
    if (code.trim() === '') return { key: 'factors.error.missing_totp', status: 400 };
    let over = false;
    const tried = await tryWithin(needs, 'code', visit, async () => {
      const answer = await factors.confirmTotp(visit.account.id, placeOf(visit), code);
      over = answer === undefined;
      return answer === true ? true : undefined;
    });
    if ('wait' in tried) return { key: 'limited.tries', status: 429, count: tried.wait };
    if (tried.found) return undefined;
    return { key: over ? STALE : 'factors.error.wrong_first', status: 400 };
  }

  async function isJustAdded(accountId: string): Promise<boolean> {
    const { totp_since: since } = await factors.details(accountId);
    return since !== null && epochSeconds() - Date.parse(since) / 1000 < JUST;
  }

  async function add(desk: Desk, visit: Visit): Promise<void> {
    const { account } = visit;
    const problem = await problemWith(visit);
    // The page that showed the codes was loaded anew, or another tab was faster.
    if (problem?.key === STALE && (await isJustAdded(account.id)))
      return desk.done(visit, '/authenticator', 'totp_added');
    if (problem) return showAdding(desk, visit, problem);
    desk.showedFactor(visit);
    const { recovery_codes_left } = await factors.of(account.id);
    if (recovery_codes_left > 0) return desk.done(visit, '/authenticator', 'totp_added');
    const codes = await factors.renewRecoveryCodes(account.id, { with_factor: true });
    return desk.show(visit, 'recovery-codes-new', {
      codes,
      account: account.email,
      added: true,
      done_url: desk.url('/authenticator'),
    });
  }

  async function showRemove(desk: Desk, visit: Visit): Promise<void> {
    const [{ totp, passkeys }, kept] = await Promise.all([factors.of(visit.account.id), factors.isLast(visit.account)]);
    if (!totp) return show(desk, visit);
    return desk.show(visit, 'authenticator-remove', {
      kept,
      last: passkeys === 0,
      action: desk.url('/authenticator/remove'),
      back_url: desk.url('/authenticator'),
    });
  }

  async function remove(desk: Desk, visit: Visit): Promise<void> {
    try {
      const removed = await factors.removeTotp(visit.account);
      return desk.done(visit, '/authenticator', removed ? 'totp_removed' : 'totp_none');
    } catch (error) {
      if (!isGatehouseError(error, 'conflict')) throw error;
      return desk.done(visit, '/authenticator', (await factors.isLast(visit.account)) ? 'totp_last' : 'passkey_busy');
    }
  }

  return {
    id: 'authenticator',
    group: 'sign_in',
    path: '/authenticator',
    hidden: () => !hasFactors(),
    add(desk) {
      desk.get('/authenticator', (visit) => show(desk, visit));
      desk.get('/authenticator/add', (visit) => showAdding(desk, visit), { strong: true });
      desk.post('/authenticator/add', (visit) => add(desk, visit), { strong: true, back: '/authenticator/add' });
      desk.get('/authenticator/remove', (visit) => showRemove(desk, visit), { strong: true });
      desk.post('/authenticator/remove', (visit) => remove(desk, visit), {
        strong: true,
        back: '/authenticator/remove',
      });
    },
  };
}
