/** A place put together: who may see it, how they get in, and its sections. To be mounted at `<issuer path><place>`. */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { initials } from '../accounts/account.ts';
import type { Account } from '../accounts/account.ts';
import type { Audit } from '../audit/audit.ts';
import type { Clients } from '../clients/clients.ts';
import type { Config } from '../config/schema.ts';
import type { Factors } from '../factors/factors.ts';
import { reachedLevel } from '../factors/levels.ts';
import { field, readForm } from '../http/body.ts';
import type { ContinueTo } from '../http/continue.ts';
import type { Csrf } from '../http/csrf.ts';
import { inProcessFetch } from '../http/in-process.ts';
import type { InProcessHandler } from '../http/in-process.ts';
import { notePage } from '../http/language.ts';
import { noteReader } from '../http/locale.ts';
import type { MakeModel, Render, SideBar } from '../http/render.ts';
import { roomSession } from '../http/session.ts';
import { readUpload } from '../http/upload.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Vault } from '../kernel/secrets.ts';
import { issuerPath } from '../kernel/urls.ts';
import type { Receipts } from '../logout/receipts.ts';
import type { Sessions } from '../oidc/sessions.ts';
import { receiptPath } from '../oidc/sign-out.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { callbackUrl, registerOwnClient } from './client.ts';
import type { Place } from './place.ts';
import { createRelyingParty } from './relying-party.ts';
import type { Asked } from './relying-party.ts';
import { createPendingRequests } from './pending.ts';
import type { Desk, Handler, Section, Terms, Visit, VisitRoute } from './visit.ts';
import { carriedOver, putAside, takeDraft, takeUnfinished } from './unfinished.ts';
import { endVisitSession, renewSession, sessionOf } from './session.ts';

/** Seconds that a proof of who one is counts as fresh. */
export const FRESH_SECONDS = 300;

const demands = ({ fresh = false, strong = false }: Terms) => ({ fresh: fresh || strong, strong });
const paramsOf = (ctx: Context) => (ctx as unknown as { params: Record<string, string | undefined> }).params;

export interface RoomNeeds {
  config: Pick<Config, 'issuer' | 'lifetimes' | 'factors' | 'portal'>;
  accounts: { find(id: string): Promise<Account | undefined> };
  clients: Pick<Clients, 'find' | 'register' | 'delete'>;
  sessions: Sessions;
  receipts: Pick<Receipts, 'issue'>;
  records: SealedRecords;
  vault: Pick<Vault, 'seal' | 'open'>;
  factors: Pick<Factors, 'of'>;
  render: Render;
  continueTo: ContinueTo;
  csrf: Csrf;
  audit: Pick<Audit, 'record'>;
  place: Place;
  sections: Section[];
  /** The whole app's request handler, asked for when it is first needed. */
  handle: () => InProcessHandler;
}

export interface Room {
  middleware: Middleware;
  routes: VisitRoute[];
}

export async function visitRoom(needs: RoomNeeds): Promise<Room> {
  const {
    config,
    accounts,
    clients,
    sessions,
    receipts,
    records,
    factors,
    render,
    continueTo,
    csrf,
    audit,
    place,
    sections,
    handle,
  } = needs;
  const { issuer } = config;
  const home = `${issuerPath(issuer)}${place.path}`;
  await registerOwnClient({ clients, issuer, place });
  const party = createRelyingParty({
    issuer,
    clientId: place.client,
    callback: callbackUrl(issuer, place),
    fetch: inProcessFetch({ issuer, handle }),
  });
  const https = issuer.startsWith('https:');
  const pendings = createPendingRequests({ ...needs, https, cookie: place.cookie });
  const router = new Router();
  const routes: VisitRoute[] = [{ method: 'POST', path: '/sign-out', fresh: false, strong: false }];
  const url = (path: string) => home + path;

  const goTo = (ctx: Context, target: string) => {
    ctx.status = 303;
    ctx.redirect(target);
  };

  async function signIn(ctx: Context, asked: Asked): Promise<void> {
    const { url: target, pending } = await party.begin(asked);
    pendings.add(ctx, pending);
    goTo(ctx, target);
  }

  /** A page outside: why nobody is signed in, and the way back. */
  const outside = (ctx: Context, reason: string, status: number) =>
    render(
      ctx,
      `${place.views}/outside`,
      { reason, sign_in_url: url('') },
      { title: [place.words.outside(reason)], status },
    );

  async function comeBack(ctx: Context): Promise<void> {
    const query = new URLSearchParams(ctx.querystring);
    const states = query.getAll('state');
    const [state = ''] = states;
    const request = states.length === 1 ? pendings.take(ctx, state) : undefined;
    if (!request) return outside(ctx, 'failed', 400);
    const arrived = await party.redeem(request, query);
    const own = await sessions.ofBrowser(ctx);
    // Somebody else signed in here while the answer was on its way: it is not theirs.
    if (!arrived || own?.account_id !== arrived.account_id) return outside(ctx, 'failed', 400);
    await renewSession(ctx, {
      signed_in: { ...arrived, uid: own.uid },
      ...carriedOver(sessionOf(ctx), arrived.account_id, request.return_to),
    });
    goTo(ctx, request.return_to);
  }

  /** Who is here, as long as the provider's session goes on and the account may be used. */
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
    url(back.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(paramsOf(ctx)[name]))));

  const refuse = ({ ctx, account: { name, email } }: Visit, view: string) =>
    render(
      ctx,
      `${place.views}/${view}`,
      {
        name,
        email,
        sign_out_url: url('/sign-out'),
        account_url: config.portal.enabled ? `${issuerPath(issuer)}/account` : null,
      },
      { title: [place.words.title(view)], status: 403 },
    );

  /** Lets a visit through on its terms, or sends the person to sign in, or to prove once more who they are. */
  async function admit(ctx: Context, handler: Handler, terms: Terms): Promise<void> {
    const { back, keep = [] } = terms;
    const visit = await visitOf(ctx);
    const return_to = back === undefined ? ctx.originalUrl : pageOf(ctx, back);
    const isForm = ctx.method === 'POST';
    if (!visit) {
      const session = sessionOf(ctx);
      if (isForm && session.signed_in) putAside(ctx, session.signed_in.account_id, return_to, keep);
      delete session.signed_in;
      return signIn(ctx, { return_to });
    }
    const refusal = place.refusal?.(visit);
    if (refusal !== undefined) return refuse(visit, refusal);
    const lacking = await missing(visit, terms);
    if (!lacking) {
      place.admitted?.(visit);
      return handler(visit);
    }
    if (isForm) putAside(ctx, visit.account.id, return_to, keep);
    return signIn(ctx, { return_to, ...lacking });
  }

  const sideBar =
    ({ account }: Visit, current: Section) =>
    (t: (key: string) => string): SideBar => ({
      label: t(place.words.nav('label')),
      menu: t(place.words.nav('menu')),
      current: t(place.words.nav(current.id)),
      who: { name: account.name, email: account.email, initials: initials(account.name) },
      sign_out: { action: url('/sign-out'), label: t(place.words.nav('sign_out')) },
      groups: [null, ...place.groups].map((group) => ({
        label: group === null ? null : t(place.words.nav(`group.${group}`)),
        items: sections
          .filter((section) => section.group === group && section.hidden?.() !== true)
          .map((section) => ({
            href: url(section.path),
            label: t(place.words.nav(section.id)),
            current: section === current,
          })),
      })),
    });

  const form =
    (section: Section, read: Middleware, isHidden: () => boolean): Desk['post'] =>
    (path, handler, terms = {}) => {
      routes.push({ method: 'POST', path, ...demands(terms) });
      router.post(path, read, async (ctx, next) => {
        if (isHidden()) return void (await next());
        csrf.verify(ctx, field(ctx, '_csrf'));
        notePage(ctx, { form_page: url(section.path) });
        // A form cannot be sent again after proving who one is: its page is where that leads back to.
        await admit(ctx, handler, { back: section.path, ...terms });
      });
    };

  const deskOf = (section: Section, isHidden = () => section.hidden?.() === true): Desk => ({
    url,
    get(path, handler, terms = {}) {
      routes.push({ method: 'GET', path, ...demands(terms) });
      router.get(path || '/', async (ctx, next) => {
        await (isHidden() ? next() : admit(ctx, handler, terms));
      });
    },
    post: form(section, readForm(), isHidden),
    upload: form(section, readUpload(), isHidden),
    async show(visit, view, page, { status = 200, title } = {}) {
      const session = sessionOf(visit.ctx);
      const { notice = null } = session;
      delete session.notice;
      const unfinished = takeUnfinished(visit.ctx);
      await render(
        visit.ctx,
        `${place.views}/${view}`,
        (t, locale) => ({
          home,
          notice,
          unfinished,
          ...(typeof page === 'function' ? (page as MakeModel)(t, locale) : page),
        }),
        {
          title: title ?? [place.words.title(view.replaceAll('-', '_'))],
          status,
          side: sideBar(visit, section),
        },
      );
    },
    done({ ctx }, path, key, variables = {}) {
      sessionOf(ctx).notice = { key, variables };
      goTo(ctx, url(path));
    },
    away: ({ ctx }, target) => continueTo(ctx, target),
    prove: ({ ctx }, acr) => signIn(ctx, { return_to: ctx.originalUrl, max_age: FRESH_SECONDS, acr }),
    leave({ ctx }, reason) {
      endVisitSession(ctx);
      goTo(ctx, url(`/${reason}`));
    },
    showedFactor({ session }) {
      session.factor_at = epochSeconds();
    },
    draft: ({ ctx }, path) => takeDraft(ctx, url(path)),
  });

  router.use(
    roomSession({
      records,
      kind: place.kind,
      cookie: place.cookie,
      https,
      ttl: () => config.lifetimes.session,
    }),
  );
  router.get('/callback', comeBack);
  router.get('/signed-out', (ctx) => outside(ctx, 'signed_out', 200));
  for (const reason of place.outside) router.get(`/${reason}`, (ctx) => outside(ctx, reason, 200));
  router.post('/sign-out', readForm(), async (ctx) => {
    csrf.verify(ctx, field(ctx, '_csrf'));
    const visit = await visitOf(ctx);
    const ended = visit && (await sessions.endThis(visit.session.uid));
    if (visit) await audit.record('sign_out', visit.account.id);
    const ticket = ended && (await receipts.issue(ended));
    endVisitSession(ctx);
    goTo(ctx, ticket === undefined ? url('/signed-out') : receiptPath(issuer, ticket));
  });
  for (const section of sections) section.add(deskOf(section));
  return { middleware: router.routes() as unknown as Middleware, routes };
}
