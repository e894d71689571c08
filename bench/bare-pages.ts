/** The least a login needs beside the library: two forms, and no hash behind the password. */
import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Person } from './fixture.ts';

const form = (action: string, fields: string) =>
  `<!doctype html><title>Sign in</title><form method="post" action="${action}">${fields}<button>Go on</button></form>`;

async function readBody(req: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of req) text += String(chunk);
  return new URLSearchParams(text);
}

export function barePages(provider: Provider, people: Person[]): Middleware {
  const byEmail = new Map(people.map((person) => [person.email, person]));

  async function grantAll(details: Awaited<ReturnType<Provider['interactionDetails']>>): Promise<string> {
    const grant = new provider.Grant({
      accountId: details.session!.accountId,
      clientId: details.params['client_id'] as string,
    });
    grant.addOIDCScope(details.params['scope'] as string);
    return grant.save();
  }

  return async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) {
      await next();
      return;
    }
    const details = await provider.interactionDetails(ctx.req, ctx.res);
    const login = details.prompt.name === 'login';
    if (ctx.method === 'GET') {
      ctx.type = 'html';
      ctx.body = form(
        `${ctx.path}/${login ? 'sign-in' : 'consent'}`,
        login ? '<input name="email"><input name="password" type="password">' : '<input name="decision">',
      );
      return;
    }
    const body = await readBody(ctx.req);
    const accountId = byEmail.get(body.get('email') ?? '')?.sub ?? '';
    const result = login ? { login: { accountId, amr: ['pwd'] } } : { consent: { grantId: await grantAll(details) } };
    ctx.status = 303;
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true }));
  };
}
