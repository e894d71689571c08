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
