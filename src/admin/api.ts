/** Serves the list of routes: each request goes through the same steps, in the same order. */
import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { Logger } from '../kernel/logger.ts';
import { newReference } from '../kernel/ids.ts';
import type { CurrentCaller, Caller } from '../kernel/caller.ts';
import type { Limits } from '../limits/limits.ts';
import { mustHaveScope } from './authenticate.ts';
import type { ApiCaller } from './authenticate.ts';
import type { Once, StoredAnswer } from './idempotency.ts';
import { ApiProblem, problemOf, PROBLEMS } from './problems.ts';
import type { Problem } from './problems.ts';
import { etagOf, fileOf, isEmpty, parseBody, parseParameters, queryOf, readIfMatch, readText } from './read.ts';
import type { Answer, Route, UseCases } from './route.ts';

interface Needs {
  /** Address below which the routes are, such as `https://id.example.com/admin/api/v1`. */
  origin: string;
  routes: Route[];
  useCases: UseCases;
  authenticate(authorization: string | undefined): Promise<ApiCaller>;
  limits: Pick<Limits, 'spend'>;
  once: Once;
  caller: CurrentCaller;
  actAs(by: NonNullable<Caller['by']>): void;
  log: Logger;
}

const EMPTY = z.strictObject({});

interface Compiled {
  route: Route;
  pattern: RegExp;
}

function compile(route: Route): Compiled {
  const pattern = route.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return { route, pattern: new RegExp(`^${pattern}$`) };
}

function decoded(groups: Record<string, string>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    throw new ApiProblem({ name: 'not_found' });
  }
}

/** @throws the problems `not_found` and `method_not_allowed`. */
function match(compiled: Compiled[], method: string, path: string): { route: Route; groups: Record<string, string> } {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const here = compiled.filter(({ pattern }) => pattern.test(path));
  const found = here.find(({ route }) => route.method === wanted);
  if (found) return { route: found.route, groups: decoded(found.pattern.exec(path)!.groups ?? {}) };
  if (here.length === 0) throw new ApiProblem({ name: 'not_found', detail: 'there is nothing at this address' });
  // At an address of its own, what could be done were it somebody's id is not what the document says of it.
  const own = here.filter(({ route }) => route.path === path);
  const Allow = (own.length > 0 ? own : here).map(({ route }) => route.method).join(', ');
  throw new ApiProblem({ name: 'method_not_allowed', detail: `here is ${Allow}`, headers: { Allow } });
}

/** Whether a request that brings nothing is one that its route takes. */
const mayBeEmpty = ({ body }: Route, { headers }: IncomingMessage): boolean =>
  isEmpty(headers) && (body?.safeParse(undefined).success ?? false);

const fileAnswer = ({ stream, type, name }: NonNullable<Answer['file']>): StoredAnswer => ({
  status: 200,
  headers: { 'Content-Type': `${type}; charset=utf-8`, 'Content-Disposition': `attachment; filename="${name}"` },
  body: stream,
});

function send(ctx: Context, { status, headers, body }: StoredAnswer): void {
  ctx.body = body ?? null;
  ctx.set(headers);
  ctx.status = status;
}

function sendProblem(ctx: Context, { name, detail, errors, headers }: Problem, type: string, reference: string): void {
  const [status, title] = PROBLEMS[name];
  ctx.status = status;
  ctx.set({ ...headers });
  ctx.body = JSON.stringify({ type: `${type}#${name}`, title, status, detail, reference, errors });
  ctx.type = 'application/problem+json';
}

export function adminApi({
  origin,
  routes,
  useCases,
  authenticate,
  limits,
  once,
  caller,
  actAs,
  log,
}: Needs): Middleware {
  const compiled = routes.map(compile);
  const documentation = origin.replace(/\/v1$/, '');

  async function answer(route: Route, ctx: Context, by: ApiCaller, groups: object): Promise<StoredAnswer> {
    const params = parseParameters(groups, route.params ?? EMPTY);
    const query = parseParameters(queryOf(ctx.querystring), route.query ?? EMPTY);
    const text = route.body && !mayBeEmpty(route, ctx.req) ? await readText(ctx.req) : undefined;
    const body = text === undefined ? undefined : parseBody(text, route.body!);
    const version = route.ifMatch && readIfMatch(ctx.req.headers['if-match'], route.ifMatch === 'demanded');
    const file = route.takes && fileOf(ctx.req, route.takes);
    const run = async (): Promise<StoredAnswer> => {
      if (version !== undefined) await route.mustBe?.(useCases, params, version);
      const given = await route.run(useCases, { params, query, body, by, version, file });
      if (given.file) return fileAnswer(given.file);
      return {
        status: route.answer.status,
        headers: {
          ...(given.version === undefined ? {} : { ETag: etagOf(given.version) }),
          ...(given.location === undefined ? {} : { Location: origin + encodeURI(given.location) }),
        },
        // Only what the schema names leaves.
        body: route.answer.schema?.parse(given.body),
      };
    };
    const key = ctx.req.headers['idempotency-key'];
    if (!route.idempotent || typeof key !== 'string') return run();
    const owner = JSON.stringify([by.client_id, by.id]);
    const { replayed, ...kept } = await once({ owner, key, content: `${route.id}\n${text}` }, run);
    return { ...kept, headers: { ...kept.headers, ...(replayed ? { 'Idempotency-Replayed': 'true' } : {}) } };
  }

  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    let route: Route | undefined;
    const reference = newReference();
    ctx.set('Reference', reference);
    try {
      const found = match(compiled, ctx.method, ctx.path);
      ({ route } = found);
      const by = await authenticate(ctx.req.headers.authorization);
      await limits.spend('admin_api', { client: by.client_id, address: caller()?.address ?? 'unknown' });
      mustHaveScope(by, route.scope);
      actAs({ kind: by.kind, id: by.id, reference });
      send(ctx, await answer(route, ctx, by, found.groups));
    } catch (error) {
      // A body that nobody reads would hold the connection up.
      ctx.req.resume();
      const problem = problemOf(error, route?.fieldNames);
      const about = { reference, operation: route?.id, problem: problem.name };
      if (PROBLEMS[problem.name][0] >= 500) log.error({ ...about, err: problem.cause }, 'the admin API failed');
      else log.info(about, 'the admin API refused a request');
      sendProblem(ctx, problem, documentation, reference);
    }
  };
}
