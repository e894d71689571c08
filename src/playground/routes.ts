import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Clients } from '../clients/clients.ts';
import type { Config } from '../config/schema.ts';
import { field, fields, readForm } from '../http/body.ts';
import type { Csrf } from '../http/csrf.ts';
import { inProcessFetch } from '../http/in-process.ts';
import type { InProcessHandler } from '../http/in-process.ts';
import type { Render } from '../http/render.ts';
import { routesOf } from '../http/routing.ts';
import { roomSession } from '../http/session.ts';
import { issuerPath } from '../kernel/urls.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { CLIENT_ID, registerPlayground } from './client.ts';
import { APIS, pageModel, PROMPTS, SCOPE_NAMES } from './page.ts';
import { createRelyingParty } from './relying-party.ts';
import { addPending, renewSession, sessionOf } from './session.ts';
import type { Choices, PlaygroundSession, Run, Tokens } from './session.ts';
import { createSteps } from './steps.ts';

const SESSION_SECONDS = 3600;
const TEXT_MAX = 500;

interface Needs {
  config: Pick<Config, 'issuer'>;
  clients: Pick<Clients, 'find' | 'register' | 'delete'>;
  records: SealedRecords;
  render: Render;
  csrf: Csrf;
  /** The demo person's sign-in, where there is one. */
  demo: { email: string; password: string } | null;
  /** The whole app's request handler, asked for when it is first needed. */
  handle: () => InProcessHandler;
}

type Action = (ctx: Context, run: Run, tokens: Tokens) => Promise<string>;

const oneOf = (value: string, allowed: string[]): string => (allowed.includes(value) ? value : allowed[0]!);

function readChoices(ctx: Context): Choices {
  const ticked = fields(ctx, 'scope');
  return {
    scopes: SCOPE_NAMES.filter((name) => ticked.includes(name)),
    more_scopes: field(ctx, 'more_scopes').trim().slice(0, TEXT_MAX),
    prompt: oneOf(field(ctx, 'prompt'), PROMPTS),
    api: oneOf(field(ctx, 'api'), APIS),
    resource: field(ctx, 'resource').trim().slice(0, TEXT_MAX),
  };
}

const keepChoices = ({ choices }: PlaygroundSession): PlaygroundSession => (choices ? { choices } : {});

/** Registers the playground's client and serves its pages, to be mounted at `<issuer path>/playground`. */
export async function playgroundRoutes(needs: Needs): Promise<Middleware> {
  const { config, clients, records, render, csrf, demo, handle } = needs;
  const { issuer } = config;
  const base = issuerPath(issuer);
  const home = `${base}/playground`;
  await registerPlayground({ clients, issuer });
  const party = createRelyingParty({ issuer, clientId: CLIENT_ID, fetch: inProcessFetch({ issuer, handle }) });
  const steps = createSteps({ issuer, clientId: CLIENT_ID, party });
  const router = new Router();

  const goHome = (ctx: Context, anchor = '') => {
    ctx.status = 303;
    ctx.redirect(home + anchor);
  };

  async function show(ctx: Context): Promise<void> {
    const session = sessionOf(ctx);
    const log_out_url = session.run?.tokens ? await steps.logOutUrl(session.run) : null;
    await render(ctx, 'playground/index', pageModel(session, { base, issuer, demo, log_out_url }), {
      title: ['playground.title'],
      layout_kind: 'wide',
    });
    delete session.notice;
  }

  /** Back from the log-out: a `state` that only this browser's page knew tells that it took place. */
  async function signedOut(ctx: Context, run: Run): Promise<void> {
    await steps.forget(run);
    await renewSession(ctx, { ...keepChoices(sessionOf(ctx)), notice: 'signed_out' });
    goHome(ctx);
  }

  async function comeBack(ctx: Context): Promise<void> {
    const query = new URLSearchParams(ctx.querystring);
    const states = query.getAll('state');
    const [state = ''] = states;
    const session = sessionOf(ctx);
    const { pending = {}, run } = session;
    if (states.length === 1 && run?.request.state === state) return goHome(ctx); // the same answer again: a reload
    const request = states.length === 1 && Object.hasOwn(pending, state) ? pending[state] : undefined;
    if (!request) return refuse(ctx, query);
    delete pending[state];
    await renewSession(ctx, { ...keepChoices(session), pending, run: await steps.redeem(request, query) });
    goHome(ctx);
  }

  /** An answer that belongs to no request of this browser: nothing in it is believed, and nothing is forgotten for it. */
  const refuse = (ctx: Context, query: URLSearchParams) =>
    render(
      ctx,
      'playground/refused',
      { path: home, answer: [...query].filter(([name]) => name !== 'code'), state: query.get('state') },
      { title: ['playground.refused.title'], status: 400, layout_kind: 'wide' },
    );

  /** A form of ours that does something with the tokens. */
  const withTokens = (path: string, action: Action) =>
    router.post(path, readForm(), async (ctx) => {
      csrf.verify(ctx, field(ctx, '_csrf'));
      const session = sessionOf(ctx);
      const { run } = session;
      if (run?.tokens) return goHome(ctx, await action(ctx, run, run.tokens));
      session.notice = 'lost';
      return goHome(ctx);
    });

  router.use(
    roomSession({
      records,
      kind: 'PlaygroundSession',
      cookie: 'gatehouse_playground',
      https: issuer.startsWith('https:'),
      ttl: () => SESSION_SECONDS,
    }),
  );
  router.get('/', (ctx) => {
    const { run } = sessionOf(ctx);
    const returned = run?.logout_state !== undefined && ctx.query['state'] === run.logout_state;
    return returned ? signedOut(ctx, run) : show(ctx);
  });
  router.get('/callback', comeBack);
  router.post('/begin', readForm(), async (ctx) => {
    csrf.verify(ctx, field(ctx, '_csrf'));
    const session = sessionOf(ctx);
    const choices = readChoices(ctx);
    session.choices = choices;
    if (session.run) await steps.forget(session.run);
    delete session.run;
    addPending(session, await steps.begin(choices));
    goHome(ctx, '#step-2');
  });
  router.post('/start-over', readForm(), async (ctx) => {
    csrf.verify(ctx, field(ctx, '_csrf'));
    const session = sessionOf(ctx);
    if (session.run) await steps.forget(session.run);
    await renewSession(ctx, keepChoices(session));
    goHome(ctx);
  });
  withTokens('/userinfo', async (_ctx, run, tokens) => {
    await steps.userinfo(run, tokens);
    return '#userinfo';
  });
  withTokens('/refresh', async (ctx, run, tokens) => {
    await steps.refresh(run, tokens, fields(ctx, 'scope'));
    return '#refresh';
  });
  withTokens('/revoke', async (ctx, run, tokens) => {
    await steps.revoke(run, tokens, field(ctx, 'token') === 'refresh_token' ? 'refresh_token' : 'access_token');
    return '#revoke';
  });
  return routesOf(router);
}
