/** Signing out (OpenID Connect RP-Initiated Logout 1.0), as far as the library leaves it to us. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { issuerPath } from '../kernel/urls.ts';
import type { Ended, Endings } from '../logout/endings.ts';
import type { Receipts } from '../logout/receipts.ts';

export interface SignOutNeeds {
  endings: Pick<Endings, 'session'>;
  receipts: Pick<Receipts, 'issue'>;
  /** Somebody signed out, by way of the app `clientId` where one asked for it. */
  onSignOut(accountId: string, clientId: string | undefined): Promise<void>;
}

/** Where the page is that says which apps were told. */
export const receiptPath = (issuer: string, ticket: string): string => `${issuerPath(issuer)}/signed-out/${ticket}`;

export function createSignOut({ endings, receipts, onSignOut, issuer }: SignOutNeeds & { issuer: string }) {
  const ended = new WeakMap<object, Ended>();

  return {
    /**
     * Ends the session with its grants, tokens and all; those with `offline_access` stay, as the person was told on the consent page.
     * The apps are told.
     */
    async end(ctx: KoaContextWithOIDC, { uid, accountId }: { uid: string; accountId: string }): Promise<void> {
      ended.set(ctx, await endings.session({ sessionUid: uid, cause: 'log_out' }));
      const { clientId } = ctx.oidc.session!.state as { clientId?: string };
      await onSignOut(accountId, clientId);
    },

    /** Leads by way of the page that says which apps were told. */
    async showReceipt(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
      await next();
      const done = ended.get(ctx);
      const location = URL.parse(ctx.response.get('Location'), issuer);
      if (!done || !location) return;
      const away = location.origin !== new URL(issuer).origin;
      // Else somebody else is signing in here, who is not to be held up.
      if (!away && location.href !== ctx.oidc.urlFor('end_session_success')) return;
      const ticket = await receipts.issue(done, away ? { continueTo: location.href } : {});
      if (ticket !== undefined) ctx.redirect(receiptPath(issuer, ticket));
    },
  };
}

/**
 * Where nobody is signed in there is nothing to confirm: instead of the library's page that submits itself by script, the
 * browser goes straight on to the (already checked) address after log-out.
 */
export const skipEmptySignOut = async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
  await next();
  const { oidc } = ctx as { oidc?: KoaContextWithOIDC['oidc'] };
  if (oidc?.route !== 'end_session' || ctx.status !== 200 || oidc.session?.accountId !== undefined) return;
  const { post_logout_redirect_uri: uri, state } = oidc.params as { post_logout_redirect_uri?: string; state?: string };
  const target = new URL(uri ?? oidc.urlFor('end_session_success'));
  if (uri !== undefined && state !== undefined) target.searchParams.set('state', state);
  ctx.status = 303;
  ctx.redirect(target.href);
};
