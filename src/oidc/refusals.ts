/** Notes what the engine refuses, under the reference code that the answer bears. */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { newReference } from '../kernel/ids.ts';
import { explain } from './explain.ts';
import type { Explanation } from './explain.ts';

/** Answers that are no mistake of anybody's: asked for without a page, declined, or not ready yet. */
const ORDINARY = new Set([
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
  'access_denied',
  'authorization_pending',
  'slow_down',
  'expired_token',
  // Of JWTs, which are answered all the same: see jwt-access-tokens.ts.
  'unsupported_token_type',
  'temporarily_unavailable',
]);

const EVENTS = [
  'authorization.error',
  'pushed_authorization_request.error',
  'device_authorization.error',
  'backchannel_authentication.error',
  'grant.error',
  'introspection.error',
  'revocation.error',
  'end_session.error',
  'server_error',
] as const;

const HEADER = 'Reference';

/** The reference code of the answer under way: made where it has none. */
export function referenceOf(ctx: Pick<KoaContextWithOIDC, 'response' | 'set' | 'headerSent'>): string {
  const before = ctx.response.get(HEADER) as string | undefined;
  if (before) return before;
  const reference = newReference();
  if (!ctx.headerSent) ctx.set(HEADER, reference);
  return reference;
}

interface Needs {
  provider: Provider;
  note(ctx: KoaContextWithOIDC, refusal: { reference: string; client: string | undefined; detail: Explanation }): void;
}

export function noteRefusals({ provider, note }: Needs): void {
  const noted = new WeakSet<object>();
  for (const event of EVENTS)
    provider.on(event as 'grant.error', (ctx: KoaContextWithOIDC, error: Error) => {
      const { error: code } = error as { error?: string };
      if (noted.has(ctx) || (code !== undefined && ORDINARY.has(code))) return;
      noted.add(ctx);
      const client = ctx.oidc?.client?.clientId;
      note(ctx, { reference: referenceOf(ctx), client, detail: explain(ctx, error) });
    });
}
