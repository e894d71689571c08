/** What the protocol engine needs of our rooms. */
import type { IncomingMessage } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Config } from '../config/schema.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { IdentityStore } from '../federation/store.ts';
import type { Factors } from '../factors/factors.ts';
import type { LiveKeys } from '../keys/live-keys.ts';
import type { CurrentCaller } from '../kernel/caller.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { KeySetFetches } from '../keys/fetches.ts';
import type { ClientGuard } from '../limits/client-guard.ts';
import type { Limits } from '../limits/limits.ts';
import type { SessionApps } from '../logout/session-apps.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { RoleBook } from '../roles/book.ts';
import type { Asking } from './asking.ts';
import type { ClientDirectory } from './client-directory.ts';
import type { CibaNeeds } from './features/ciba.ts';
import type { ClientFetch } from './features/features.ts';
import type { DevicePages } from './features/device.ts';
import type { MutualTls } from './features/mutual-tls.ts';
import type { EndedFamily } from './reuse.ts';
import type { Restarts } from './restarts.ts';
import type { SignOutNeeds } from './sign-out.ts';
import type { TokenEvent } from './token-events.ts';

/** What the library shows to people, drawn by a web room. */
export interface ProviderPages {
  error(
    ctx: KoaContextWithOIDC,
    response: { error: string; error_description?: string },
    error: Error,
  ): Promise<void> | void;
  signOut(ctx: KoaContextWithOIDC): Promise<void> | void;
  signedOut(ctx: KoaContextWithOIDC): Promise<void> | void;
}

export interface ProviderNeeds {
  config: Pick<
    Config,
    | 'issuer'
    | 'secrets'
    | 'lifetimes'
    | 'factors'
    | 'oauth'
    | 'device_flow'
    | 'ciba'
    | 'keys'
    | 'registration'
    | 'client_documents'
  >;
  liveKeys: LiveKeys;
  keySetFetches: Pick<KeySetFetches, 'note'>;
  records: SealedRecords;
  directory: ClientDirectory;
  accounts: CibaNeeds['accounts'];
  asking: Asking;
  identities: Pick<IdentityStore, 'find'>;
  /** Roles, groups and claim tables. */
  book: Pick<RoleBook, 'current'>;
  consents: ConsentStore;
  factors: Pick<Factors, 'of' | 'graceLeft'>;
  /** Passkeys can be added on the way to a sign-in. */
  canEnrolPasskey: boolean;
  vault: Vault;
  clientFetch: ClientFetch;
  devicePages: DevicePages;
  mutualTls: MutualTls | undefined;
  restarts: Restarts;
  /** A mark that only this browser can show again. */
  browserOf: (ctx: KoaContextWithOIDC) => string;
  limits: Pick<Limits, 'spend' | 'guess'>;
  pages: ProviderPages;
  clientAddress: (req: IncomingMessage) => string;
  clientGuard: ClientGuard;
  caller: CurrentCaller;
  /** Somebody proved who they are, and their session knows. */
  onSignIn(accountId: string, detail: Record<string, string>): Promise<void>;
  /** What becomes of tokens. */
  onToken(event: TokenEvent): void;
  /** A family of tokens was ended because a used refresh token was sent again. */
  onReuse(family: EndedFamily): Promise<void>;
  logOuts: SignOutNeeds & { apps: Pick<SessionApps, 'note' | 'prolong'> };
}
