/** Ending things: sessions with the grants that end with them, and everything of an account. */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { SealedRecords } from '../protocol/sealed-records.ts';

/**
 * After a confirmed log-out (OpenID Connect RP-Initiated Logout 1.0) the grants of that session are revoked, tokens and all;
 * those with `offline_access` stay, as the person was told on the consent page.
 */
export const revokeAfterSignOut =
  (records: SealedRecords) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const { oidc } = ctx as { oidc?: KoaContextWithOIDC['oidc'] };
    const session = oidc?.session as { uid: string; destroyed?: boolean } | undefined;
    if (oidc?.route === 'end_session_confirm' && session?.destroyed === true)
      await records.revokeBySession(session.uid);
  };

/** Ends one session now, as if its person had signed out. */
export async function endSession(provider: Provider, records: SealedRecords, uid: string): Promise<void> {
  const session = await provider.Session.findByUid(uid);
  await records.revokeBySession(uid);
  await session?.destroy();
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
