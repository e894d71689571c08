/** What the sections of a place build their pages with. */
import type Router from '@koa/router';
import type { Middleware } from 'koa';
import { initials } from '../accounts/account.ts';
import { field, readForm } from '../http/body.ts';
import type { ContinueTo } from '../http/continue.ts';
import type { Csrf } from '../http/csrf.ts';
import { notePage } from '../http/language.ts';
import type { MakeModel, Render, SideBar } from '../http/render.ts';
import { readUpload } from '../http/upload.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { FRESH_SECONDS } from './admission.ts';
import type { Admission } from './admission.ts';
import { homeOf } from './place.ts';
import type { Place } from './place.ts';
import { endVisitSession, sessionOf } from './session.ts';
import { takeDraft, takeUnfinished } from './unfinished.ts';
import type { Desk, Section, Terms, Visit, VisitRoute } from './visit.ts';
import { goTo } from './way-in.ts';
import type { WayIn } from './way-in.ts';

const demands = ({ fresh = false, strong = false }: Terms) => ({ fresh: fresh || strong, strong });

interface Needs {
  issuer: string;
  place: Place;
  sections: Section[];
  router: Router;
  /** Is told of every route. */
  routes: VisitRoute[];
  render: Render;
  continueTo: ContinueTo;
  csrf: Pick<Csrf, 'verify'>;
  wayIn: Pick<WayIn, 'signIn'>;
  admission: Pick<Admission, 'admit'>;
}

/** @returns the desk of each section. */
export function createDesks(needs: Needs): (section: Section) => Desk {
  const { issuer, place, sections, router, routes, render, continueTo, csrf } = needs;
  const { signIn } = needs.wayIn;
  const { admit } = needs.admission;
  const home = homeOf(issuer, place);
  const url = (path: string) => home + path;

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

  return (section) => deskOf(section);
}
