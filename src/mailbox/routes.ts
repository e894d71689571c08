/**
 * The mailbox: shows, in development, the mails that would be sent, so that every journey can be walked without a mail server.
 * It only reads; `mail/` writes the mails and keeps them. Whoever can open it reads everybody's mail, so production refuses it.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Config } from '../config/schema.ts';
import { field, readForm } from '../http/body.ts';
import type { Csrf } from '../http/csrf.ts';
import type { Locales } from '../http/locale.ts';
import type { Render } from '../http/render.ts';
import { routesOf } from '../http/routing.ts';
import { notFound } from '../kernel/errors.ts';
import { issuerPath } from '../kernel/urls.ts';
import type { Write } from '../mail/letter.ts';
import type { Message } from '../mail/message.ts';
import type { Entry, Outbox } from '../mail/outbox.ts';

const SHOWN = 50;
const PAGE = 500;
/** What a mail may do in its frame: be looked at, and open its link in a tab of its own. */
const FRAME = 'allow-popups allow-popups-to-escape-sandbox';
const LETTER_POLICY = `default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox ${FRAME}`;

type Shown = Entry & { message: Message };
const isShown = (entry: Entry): entry is Shown => entry.state === 'shown' && entry.message !== undefined;

interface Needs {
  config: Pick<Config, 'issuer'>;
  outbox: Pick<Outbox, 'find' | 'list' | 'forgetShown'>;
  write: Write;
  render: Render;
  locales: Pick<Locales, 'choose'>;
  csrf: Csrf;
}

/** Serves its pages, to be mounted at `<issuer path>/mailbox`. */
export function mailboxRoutes({ config, outbox, write, render, locales, csrf }: Needs): Middleware {
  const home = `${issuerPath(config.issuer)}/mailbox`;
  const router = new Router();

  /** The newest first. */
  async function newest(): Promise<Shown[]> {
    let entries: Shown[] = [];
    let after: string | undefined;
    do {
      const page = await outbox.list('shown', { limit: PAGE, after });
      entries = [...entries, ...page.items.filter(isShown)].slice(-SHOWN);
      after = page.next;
    } while (after !== undefined);
    return entries.toReversed();
  }

  async function find(ctx: Context): Promise<Shown> {
    const { id = '' } = (ctx as unknown as { params: { id?: string } }).params;
    const entry = await outbox.find(id);
    if (!entry || !isShown(entry)) throw notFound('There is no such mail.');
    return entry;
  }

  async function describe({ id, message, created_at, template }: Shown, lang: string) {
    const { subject, text } = await write(message);
    const format = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'medium' });
    const { url, code } = message.data;
    return {
      path: `${home}/${id}`,
      subject,
      text,
      to: message.to,
      template,
      created_at,
      when: format.format(new Date(created_at)),
      url: typeof url === 'string' ? url : null,
      code: typeof code === 'string' ? code : null,
    };
  }

  router.get('/', async (ctx) => {
    const { tag } = locales.choose(ctx);
    const mails = await Promise.all((await newest()).map((entry) => describe(entry, tag)));
    await render(ctx, 'mailbox/index', { home, mails }, { title: ['mailbox.title'], layout_kind: 'wide' });
  });
  router.post('/empty', readForm(), async (ctx) => {
    csrf.verify(ctx, field(ctx, '_csrf'));
    await outbox.forgetShown();
    ctx.status = 303;
    ctx.redirect(home);
  });
  router.get('/:id', async (ctx) => {
    const mail = await describe(await find(ctx), locales.choose(ctx).tag);
    const page = { home, mail, frame: FRAME };
    await render(ctx, 'mailbox/mail', page, { title: ['mailbox.mail_title', mail], layout_kind: 'wide' });
  });
  router.get('/:id/html', async (ctx) => {
    const { message } = await find(ctx);
    ctx.set('Content-Security-Policy', LETTER_POLICY);
    ctx.set('X-Frame-Options', 'SAMEORIGIN');
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'html';
    ctx.body = (await write(message)).html;
  });
  return routesOf(router);
}
