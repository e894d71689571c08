/**
 * Where upstreams send the browser back to. An answer counts once, in the browser that was sent there, from the provider that it was
 * sent to; every other one changes nothing. What was proved is written into the journey, which goes on at its own address.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { UpstreamError } from '../federation/connector.ts';
import type { Provider as Upstream, Providers } from '../federation/providers.ts';
import { UPSTREAM_ARRIVAL, UPSTREAM_LOGIN } from '../federation/upstream-login.ts';
import type { UpstreamLogin } from '../federation/upstream-login.ts';
import type { BrowserMark } from '../http/browser-mark.ts';
import { field, readForm } from '../http/body.ts';
import { routesOf } from '../http/routing.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import { newSecret } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Limits } from '../limits/limits.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { countMisses } from './misses.ts';
import type { Progress, ProgressRecords } from './progress.ts';
import { logUpstreamFailure, mayUse } from './upstream-login.ts';
import type { Visitor } from './visitor.ts';

interface Needs {
  provider: Provider;
  providers: Providers;
  records: SealedRecords;
  limits: Pick<Limits, 'reserve'>;
  visitor: Pick<Visitor, 'keys'>;
  progress: ProgressRecords;
  browserMark: BrowserMark;
  log: Logger;
  base: string;
  deadEnd(ctx: Context, reason: 'upstream_over' | 'upstream_elsewhere', uid: string): Promise<void>;
}

const FORM = 'UpstreamForm';
const FORM_LIFE = 60;
const FORM_FIELDS = ['code', 'state', 'iss', 'error', 'user'];
const ARRIVAL_LIFE = 600;
const STATE_MAX = 200;

export function upstreamCallbacks(needs: Needs): Middleware {
  const { provider, providers, records, progress, browserMark, log, base, deadEnd } = needs;

  function upstreamOf(ctx: Context): Upstream {
    const upstream = providers.find(String((ctx as unknown as { params: { name: string } }).params.name));
    if (!upstream) throw notFound('There is no such provider.');
    return upstream;
  }

  /** The sign-in that an answer of this provider belongs to; `over` where it was answered before. */
  async function loginOf(
    state: string,
    { name }: Upstream,
  ): Promise<{ login: UpstreamLogin; over: boolean } | undefined> {
    const found = state === '' || state.length > STATE_MAX ? undefined : await records.find(UPSTREAM_LOGIN, state);
    const login = found?.['login'] as UpstreamLogin | undefined;
    return login?.provider === name ? { login, over: found?.consumed !== undefined } : undefined;
  }

  async function verified(upstream: Upstream, login: UpstreamLogin, response: URLSearchParams) {
    const client = await provider.Client.find(login.client_id);
    if (!client || !mayUse(client, upstream.name)) throw new UpstreamError('refused', 'client');
    return { ...(await upstream.finish(response, login.checks)), at: epochSeconds() };
  }

  /** What the answer makes of the journey. */
  async function outcome(
    upstream: Upstream,
    login: UpstreamLogin,
    response: URLSearchParams,
  ): Promise<Partial<Progress>> {
    try {
      return { identity: await verified(upstream, login, response), upstream_problem: undefined };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      logUpstreamFailure(log, upstream.name, error);
      return { upstream_problem: { provider: upstream.name, problem: error.problem } };
    }
  }

  /** Back to the account page, which knows who set out. */
  async function arrive(
    ctx: Context,
    { provider: name, uid }: UpstreamLogin,
    result: Partial<Progress>,
  ): Promise<void> {
    const { identity = null, upstream_problem } = result;
    const arrival = { provider: name, identity, problem: upstream_problem?.problem ?? null };
    await records.upsert(UPSTREAM_ARRIVAL, uid, { arrival }, ARRIVAL_LIFE);
    ctx.status = 303;
    ctx.redirect(`${base}/account/providers/connected?handle=${uid}`);
  }

  async function receive(ctx: Context, upstream: Upstream, response: URLSearchParams): Promise<void> {
    const state = response.get('state') ?? '';
    const found = await loginOf(state, upstream);
    if (!found) return deadEnd(ctx, 'upstream_over', '');
    const { login, over } = found;
    if (!browserMark.is(ctx, login.browser)) return deadEnd(ctx, 'upstream_elsewhere', '');
    if (over || !(await records.consume(UPSTREAM_LOGIN, state))) return deadEnd(ctx, 'upstream_over', login.uid);
    const result = await outcome(upstream, login, response);
    if (login.connecting) return arrive(ctx, login, result);
    await progress.change(login, (current) => ({ ...current, ...result }));
    ctx.status = 303;
    ctx.redirect(`${base}/interaction/${login.uid}/upstream`);
  }

  /** A form that another site sends brings no Lax cookies along: it waits, sealed, for the GET that does. */
  async function keepForm(ctx: Context, upstream: Upstream): Promise<void> {
    if (!upstream.form_post) throw notFound('This provider answers by GET.');
    const found = await loginOf(field(ctx, 'state'), upstream);
    if (!found || found.over) return deadEnd(ctx, 'upstream_over', '');
    const fields = FORM_FIELDS.map((name) => [name, field(ctx, name)]).filter(([, value]) => value !== '');
    const handle = newSecret();
    await records.upsert(FORM, handle, { fields, provider: upstream.name }, FORM_LIFE);
    ctx.status = 303;
    ctx.redirect(`${base}/federation/${upstream.name}/callback?form=${handle}`);
  }

  async function keptForm(handle: string, { name }: Upstream): Promise<URLSearchParams | undefined> {
    const form = handle.length > STATE_MAX ? undefined : await records.find(FORM, handle);
    if (form?.['provider'] !== name || !(await records.consume(FORM, handle))) return undefined;
    return new URLSearchParams(form['fields'] as [string, string][]);
  }

  const router = new Router({ prefix: '/federation/:name' });
  router.use(countMisses(needs, 'callback'));
  router.get('/callback', async (ctx) => {
    const upstream = upstreamOf(ctx);
    const query = new URLSearchParams(ctx.querystring);
    const handle = query.get('form');
    if (!upstream.form_post || handle === null) return receive(ctx, upstream, query);
    const form = await keptForm(handle, upstream);
    return form ? receive(ctx, upstream, form) : deadEnd(ctx, 'upstream_over', '');
  });
  router.post('/callback', readForm(), (ctx) => keepForm(ctx, upstreamOf(ctx)));
  return routesOf(router);
}
