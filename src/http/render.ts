/** Pages from the EJS templates in `views/`: one layout, one page, the locals that every template has. */
import type { TFunction } from 'i18next';
import type { Context } from 'koa';
import type { Config } from '../config/schema.ts';
import { issuerPath } from '../kernel/urls.ts';
import type { Csrf } from './csrf.ts';
import { languageForm } from './language.ts';
import type { Locale, Locales } from './locale.ts';
import type { Theme, Themes } from './themes.ts';
import type { Draw } from './views.ts';

export interface PageOptions {
  /** Catalogue key of the page title, with its variables. */
  title: [key: string, variables?: Record<string, unknown>];
  status?: number;
  /** Where the browser goes on to by itself. */
  refresh?: string;
  /** Where scripts are off: what the browser loads next by itself, in how many seconds. */
  poll?: { seconds: number; url: string };
  /** The browser goes on by itself in another way: a choice of language would come too late. */
  moving?: boolean;
  /** Ties an error page to a log line. */
  reference?: string;
  layout_kind?: 'card' | 'wide';
  /** Navigation beside the page, which becomes a bar on a phone. */
  side?: (t: TFunction) => SideBar;
  ui_locales?: string | undefined;
  /** The theme of the app that the page is about, unless its model says so (`client.theme`). */
  theme?: string | null | undefined;
}

/** Where one is among the pages that belong together, and as whom. */
export interface SideBar {
  /** Names the navigation for those who do not see it. */
  label: string;
  /** On the button that opens it on a phone. */
  menu: string;
  /** The name of the page's section. */
  current: string;
  who: { name: string; email: string; initials: string };
  sign_out: { action: string; label: string };
  groups: { label: string | null; items: { href: string; label: string; current: boolean }[] }[];
}

/** The model of a page, or how to make it where it holds texts of the catalogue or dates. */
export type PageModel = object | MakeModel;
export type MakeModel = (t: TFunction, locale: Locale) => object;

/** Renders `views/<view>.ejs` with `page` as its model into the response. Pages are personal: nobody stores them. */
export type Render = (ctx: Context, view: string, page: PageModel, options: PageOptions) => Promise<void>;

interface Needs {
  config: Pick<Config, 'issuer' | 'brand'>;
  draw: Draw;
  themes: Themes;
  csrf: Csrf;
  locales: Locales;
  version: string;
}

/** The theme of an app's own, where the page is about an app that has one. */
const themeOfClient = (page: PageModel): string | null | undefined =>
  (page as { client?: { theme?: string | null } }).client?.theme;

export function createRender({ config, draw, themes, csrf, locales, version }: Needs): Render {
  const base = issuerPath(config.issuer);
  const ownLogo = config.brand.logo === undefined ? null : `${base}/assets/brand-logo`;

  /** What the frame of a page shows of the brand and of its theme. */
  function look(theme: Theme | undefined) {
    const { name, privacy_url = null, terms_url = null } = config.brand;
    const folder = theme && `${base}/assets/themes/${theme.name}`;
    return {
      brand: { name, logo: theme?.logo ? `${folder}/logo` : ownLogo, privacy_url, terms_url },
      theme_css: theme?.has_css ? `${folder}/theme.css` : null,
    };
  }

  return async (
    ctx,
    view,
    page,
    {
      title: [key, variables],
      status = 200,
      refresh,
      poll,
      moving = false,
      reference,
      layout_kind = 'card',
      side,
      ...own
    },
  ) => {
    const theme = themes.find(own.theme ?? themeOfClient(page) ?? config.brand.theme ?? '');
    const locale = locales.choose(ctx, own.ui_locales, theme?.name);
    const locals = {
      ...locale,
      base,
      ...look(theme),
      version,
      page: typeof page === 'function' ? (page as MakeModel)(locale.t, locale) : page,
      side: side?.(locale.t) ?? null,
      csrf: csrf.token(ctx),
      title: locale.t(key, { ...variables }),
      refresh: refresh ?? null,
      poll: poll ?? null,
      reference: reference ?? null,
      layout_kind,
      languages: locales.languages,
      language:
        languageForm(ctx, { action: `${base}/language`, status, moving: moving || refresh !== undefined }) ?? null,
    };
    const body = await draw(view, locals, theme?.name);
    ctx.status = status;
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Language', locale.lang);
    ctx.body = await draw('layout', { ...locals, body }, theme?.name);
  };
}
