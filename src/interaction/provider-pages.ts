/** The pages that the library asks for: errors of a sign-in, log-out and its end. */
import type { Context } from 'koa';
import { errors } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { initials } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { answerError, errorKey, renderErrorPage, statusOf } from '../http/errors.ts';
import { noteReader } from '../http/locale.ts';
import type { Render } from '../http/render.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { referenceOf } from '../oidc/refusals.ts';
import type { ProviderPages } from '../oidc/provider-needs.ts';
import { homeUrl, themeOf } from './journey.ts';

interface Needs {
  accounts: Accounts;
  render: Render;
  log: Logger;
  /** Shown instead where the sign-in can be begun again. */
  deadEnd(ctx: Context, reason: 'expired' | 'cookies', uid: string): Promise<void>;
}

function keyFor(error: Error): string {
  if (error instanceof errors.InvalidClient) return 'unknown_client';
  if (error instanceof errors.InvalidRedirectUri) return 'redirect_uri';
  return 'authorization';
}

export function createProviderPages({ accounts, render, log, deadEnd }: Needs): ProviderPages {
  return {
    async error(ctx, response, error) {
      if (error instanceof errors.SessionNotFound) {
        return deadEnd(ctx, ctx.get('Cookie') === '' ? 'cookies' : 'expired', ctx.path.split('/').at(-1) ?? '');
      }
      const status = isGatehouseError(error) ? statusOf(error) : ctx.status;
      const reference = referenceOf(ctx);
      const client = ctx.oidc.client?.clientId;
      const fields = {
        reference,
        status,
        client_id: client,
        path: ctx.path,
        error: response.error,
        error_description: response.error_description,
        detail: (error as { error_detail?: string }).error_detail,
      };
      if (isGatehouseError(error, 'limited'))
        return answerError(ctx, render, { status, reference, retryAfter: error.retryAfter });
      if (status >= 500) {
        log.error({ ...fields, err: error }, 'the provider failed');
        return answerError(ctx, render, { status, reference });
      }
      log.info(fields, 'the provider refused a request');
      const key = ctx.oidc.route === 'authorization' || ctx.oidc.route === 'resume' ? keyFor(error) : errorKey(status);
      return renderErrorPage(ctx, render, { key, status, reference });
    },

    async signOut(ctx) {
      const { session, client, params } = ctx.oidc;
      const account = session?.accountId === undefined ? undefined : await accounts.find(session.accountId);
      if (account) noteReader(ctx, account);
      const page = {
        client_name: client?.clientName ?? null,
        account: account ? { name: account.name, email: account.email, initials: initials(account.name) } : null,
        action: ctx.oidc.urlFor('end_session_confirm'),
        xsrf: (session as unknown as { state: { secret: string } }).state.secret,
      };
      await render(ctx, 'interaction/log-out', page, {
        title: ['log_out.title'],
        ui_locales: params?.['ui_locales'] as string | undefined,
        theme: themeOf(client),
      });
    },

    async signedOut(ctx: KoaContextWithOIDC) {
      const { client } = ctx.oidc;
      // The library names the client only when the person chose to stay signed in here.
      const page = {
        client_name: client?.clientName ?? null,
        home_url: client ? homeUrl(client, ctx.oidc.issuer) : null,
        signed_out: client === undefined,
      };
      await render(ctx, 'interaction/logged-out', page, {
        title: [page.signed_out ? 'logged_out.title' : 'logged_out.title_still'],
        theme: themeOf(client),
      });
    },
  };
}
