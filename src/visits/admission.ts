/** Who may come to a page: signed in, let in by the place, and with all proved that the page asks for. */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Config } from '../config/schema.ts';
import type { Factors } from '../factors/factors.ts';
import { reachedLevel } from '../factors/levels.ts';
import { noteReader } from '../http/locale.ts';
import type { Render } from '../http/render.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { issuerPath } from '../kernel/urls.ts';
import type { Sessions } from '../oidc/sessions.ts';
import { homeOf } from './place.ts';
import type { Place } from './place.ts';
import type { Asked } from './relying-party.ts';
import { sessionOf } from './session.ts';
import { putAside } from './unfinished.ts';
import type { Handler, Terms, Visit } from './visit.ts';
import type { WayIn } from './way-in.ts';

/** Seconds that a proof of who one is counts as fresh. */
export const FRESH_SECONDS = 300;

const paramsOf = (ctx: Context) => (ctx as unknown as { params: Record<string, string | undefined> }).params;

interface Needs {
  config: Pick<Config, 'issuer' | 'factors' | 'portal'>;
  place: Place;
  accounts: { find(id: string): Promise<Account | undefined> };
  sessions: Pick<Sessions, 'proofsOf'>;
  factors: Pick<Factors, 'of'>;
  render: Render;
  wayIn: Pick<WayIn, 'signIn'>;
}

export interface Admission {
  /** Who is here, as long as the provider's session goes on and the account may be used. */
  visitOf(ctx: Context): Promise<Visit | undefined>;
  /** Lets a visit through on its terms, or sends the person to sign in, or to prove once more who they are. */
  admit(ctx: Context, handler: Handler, terms: Terms): Promise<void>;
}

export function createAdmission({ config, place, accounts, sessions, factors, render, wayIn }: Needs): Admission {
  const home = homeOf(config.issuer, place);

  async function visitOf(ctx: Context): Promise<Visit | undefined> {
    const session = sessionOf(ctx).signed_in;
    const proofs = session && (await sessions.proofsOf(session.uid, session.account_id));
    if (!proofs) return undefined;
    const account = await accounts.find(session.account_id);
    if (account) noteReader(ctx, account);
    return account?.state === 'active' ? { ctx, account, session, proofs } : undefined;
  }

  const isFresh = ({ session }: Visit) => epochSeconds() - session.auth_time <= FRESH_SECONDS;

  /**
   * What the person must prove before the terms hold; undefined where they hold. That a browser is remembered proves nothing
   * here: who sits at it may have stolen it.
   */
  async function missing(visit: Visit, { fresh, strong }: Terms): Promise<Omit<Asked, 'return_to'> | undefined> {
    const recent = isFresh(visit);
    const second = (await place.demandsFactor?.(visit)) === true && reachedLevel(visit.proofs) < 2;
    if (!strong) {
      if (fresh && !recent) return { max_age: FRESH_SECONDS, second_factor: second };
      return second ? { second_factor: true } : undefined;
    }
    const { totp, passkeys } = await factors.of(visit.account.id);
    const second_factor = second || passkeys > 0 || (totp && config.factors.policy !== 'off');
    const shown = epochSeconds() - (visit.session.factor_at ?? 0) <= FRESH_SECONDS;
    const proved = shown || reachedLevel(visit.proofs.filter(({ method }) => method !== 'remembered_device')) >= 2;
    if (recent && (!second_factor || proved)) return undefined;
    // A session that is strong by a remembered browser alone begins anew.
    const over = recent && reachedLevel(visit.proofs) >= 2;
    return { max_age: over ? 0 : FRESH_SECONDS, second_factor };
  }

  /** The page that a form belongs to. */
  const pageOf = (ctx: Context, back: string) =>
    home + back.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(paramsOf(ctx)[name])));

  const refuse = ({ ctx, account: { name, email } }: Visit, view: string) =>
    render(
      ctx,
      `${place.views}/${view}`,
      {
        name,
        email,
        sign_out_url: `${home}/sign-out`,
        account_url: config.portal.enabled ? `${issuerPath(config.issuer)}/account` : null,
      },
      { title: [place.words.title(view)], status: 403 },
    );

  async function admit(ctx: Context, handler: Handler, terms: Terms): Promise<void> {
    const { back, keep = [] } = terms;
    const visit = await visitOf(ctx);
    const return_to = back === undefined ? ctx.originalUrl : pageOf(ctx, back);
    const isForm = ctx.method === 'POST';
    if (!visit) {
      const session = sessionOf(ctx);
      if (isForm && session.signed_in) putAside(ctx, session.signed_in.account_id, return_to, keep);
      delete session.signed_in;
      return wayIn.signIn(ctx, { return_to });
    }
    const refusal = place.refusal?.(visit);
    if (refusal !== undefined) return refuse(visit, refusal);
    const lacking = await missing(visit, terms);
    if (!lacking) {
      place.admitted?.(visit);
      return handler(visit);
    }
    if (isForm) putAside(ctx, visit.account.id, return_to, keep);
    return wayIn.signIn(ctx, { return_to, ...lacking });
  }

  return { visitOf, admit };
}
