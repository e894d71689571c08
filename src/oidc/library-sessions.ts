/** Where `library.ts` reaches into sessions: what they keep, how they are saved and ended, and which apps take part in them. */
import { errors, Provider } from 'oidc-provider';
import type { Client as ProviderClient, KoaContextWithOIDC } from 'oidc-provider';
import { isBuiltIn } from '../clients/client.ts';
import type { CurrentCaller } from '../kernel/caller.ts';
import { acrToTell } from '../factors/levels.ts';
import type { Proof } from '../factors/levels.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { SessionApps } from '../logout/session-apps.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { acrsAsked, askedOf } from './asked.ts';
import type { Restarts } from './restarts.ts';
import { seenNow } from './sessions.ts';
import type { Seen } from './sessions.ts';

export interface SessionNeeds {
  records: SealedRecords;
  caller: CurrentCaller;
  onSignIn(accountId: string, detail: Record<string, string>): Promise<void>;
  /** Which apps take part in a session. */
  apps: Pick<SessionApps, 'note' | 'prolong'>;
  restarts: Pick<Restarts, 'finish'>;
  /** Ends the session that a person signs out of. */
  signOut(ctx: KoaContextWithOIDC, session: { uid: string; accountId: string }): Promise<void>;
}

interface SessionProofs {
  acr?: string;
  proofs?: Proof[];
  loginAccount(details: object): void;
}

interface SessionModel {
  jti: string;
  uid: string;
  accountId?: string;
  loginTs?: number;
  amr?: string[];
  seen?: Seen | undefined;
  oldId?: string;
  exp?: number;
  touched: boolean;
  destroyed: boolean;
  getValueAndPayload(): Promise<{ payload: Record<string, unknown> }>;
  save(ttl: number): Promise<string>;
  destroy(): Promise<void>;
  sidFor(clientId: string): string | undefined;
}

interface CodeModel {
  accountId?: string;
  clientId: string;
  sessionUid?: string;
  scope?: string;
  save(ttl: number): Promise<string>;
}

/** How often the whole idle life of a session has passed since it began: what goes by it is prolonged when that changes. */
const periods = ({ since, at }: Seen, ttl: number): number => Math.floor((at - since) / ttl);

/** A session keeps what was proved and where it was used; a grant keeps the session that it ends with. */
function keepMore(provider: Provider): void {
  const { Grant } = provider;
  // The session a grant ends with is kept with it, so that ending a session finds its grants.
  const inPayload = [...Grant.IN_PAYLOAD, 'sessionUid'];
  Object.defineProperty(Grant, 'IN_PAYLOAD', { get: () => inPayload });

  // A session keeps what was proved, so that a step up asks for what is missing only.
  const { Session: SessionClass } = provider as unknown as {
    Session: { IN_PAYLOAD: string[]; prototype: SessionProofs };
  };
  const ofSession = [...SessionClass.IN_PAYLOAD, 'proofs'];
  Object.defineProperty(SessionClass, 'IN_PAYLOAD', { get: () => ofSession });
  const { loginAccount } = SessionClass.prototype;
  SessionClass.prototype.loginAccount = function login(details) {
    loginAccount.call(this, details);
    const { result } = (Provider.ctx?.oidc.entities.Interaction ?? {}) as { result?: { login?: { proofs?: Proof[] } } };
    this.proofs = result?.login?.proofs ?? [];
  };
  // Who asks for a level and gets a stronger one is told the level asked for (OpenID Connect Core, section 5.5.1.1).
  const { OIDCContext } = provider as unknown as { OIDCContext: { prototype: object } };
  Object.defineProperty(OIDCContext.prototype, 'acr', {
    get(this: { session: SessionProofs; params: Record<string, unknown>; client: object }) {
      const { proofs, acr } = this.session;
      return proofs?.length ? acrToTell(acrsAsked(askedOf(this.params, this.client)), proofs) : acr;
    },
  });
}

export function adaptSessions(provider: Provider, needs: SessionNeeds): void {
  const { records, caller, onSignIn, apps, restarts, signOut } = needs;
  keepMore(provider);
  const { Client } = provider;
  // A request that loaded a session saves it at its end. Had the session been ended meanwhile, that would bring it back.
  const { Session } = provider as unknown as { Session: { IN_PAYLOAD: string[]; prototype: SessionModel } };
  // Where and when it was used is written down with what is saved anyway.
  const sessionPayload = [...Session.IN_PAYLOAD, 'seen'];
  Object.defineProperty(Session, 'IN_PAYLOAD', { get: () => sessionPayload });
  Session.prototype.save = async function save(ttl) {
    const loaded = typeof this.exp === 'number';
    const from = this.oldId ?? this.jti;
    this.exp = epochSeconds() + ttl;
    const { seen: before } = this;
    this.seen = seenNow(this, caller());
    const { payload } = await this.getValueAndPayload();
    const signedIn = this.seen !== undefined && this.seen.login_at !== before?.login_at;
    const noted = () => (signedIn ? noteSignIn(this.seen!.account_id, this.amr) : undefined);
    if (!loaded) {
      this.touched = false; // else the library, should this fail, saves it again as one that was there
      await Promise.all([records.upsert('Session', this.jti, payload, ttl), noted()]);
    } else if (!(await records.move('Session', from, this.jti, payload, ttl))) {
      this.destroyed = true;
      await revokeFreshGrant();
      throw new errors.LoginRequired('the session has ended');
    }
    delete this.oldId;
    this.touched = false;
    if (loaded) await noted();
    if (before && this.seen && periods(before, ttl) < periods(this.seen, ttl)) await apps.prolong(this.uid);
    return this.jti;
  };

  // The library destroys the session first and leaves the rest to us: whoever was stopped in between would have ended nothing else.
  const { destroy } = Session.prototype;
  Session.prototype.destroy = async function end() {
    const { ctx } = Provider;
    const { uid, accountId } = this;
    if (ctx?.oidc.route !== 'end_session_confirm' || accountId === undefined) return destroy.call(this);
    await signOut(ctx, { uid, accountId });
    this.destroyed = true;
  };

  // It would call the apps while the person waits, each once, and only those that the session remembers. Ours are queued.
  Object.assign(Client.prototype, { backchannelLogout: async () => undefined });
  // Whoever can be told of a log-out learns which session it will be about.
  Object.assign(Client.prototype, {
    includeSid(this: ProviderClient) {
      return Boolean(this.backchannelLogoutUri ?? this['frontchannel_logout_uri']);
    },
  });

  // Before an app gets a code, or its device learns that it may go on, it is written down that it takes part in the session; and before a
  // code that whoever comes back to a page of this sign-in finds it done.
  const { AuthorizationCode, DeviceCode } = provider as unknown as Record<string, { prototype: CodeModel }>;
  const { save: saveCode } = AuthorizationCode!.prototype;
  AuthorizationCode!.prototype.save = async function save(ttl) {
    const [saved] = await Promise.all([saveCode.call(this, ttl), noteApp(this), restarts.finish()]);
    return saved;
  };
  const { save: saveDevice } = DeviceCode!.prototype;
  DeviceCode!.prototype.save = async function save(ttl) {
    await noteApp(this);
    return saveDevice.call(this, ttl);
  };

  async function noteApp({ accountId, clientId, sessionUid, scope = '' }: CodeModel): Promise<void> {
    const session = Provider.ctx?.oidc.session as unknown as SessionModel | undefined;
    const sid = session?.sidFor(clientId);
    if (accountId === undefined || sessionUid === undefined || sid === undefined || isBuiltIn(clientId)) return;
    const offline = scope.split(' ').includes('offline_access');
    await apps.note({ account_id: accountId, client_id: clientId, session_uid: sessionUid, sid, offline });
  }

  async function noteSignIn(accountId: string, amr: string[] = []): Promise<void> {
    const client_id = Provider.ctx?.oidc.client?.clientId;
    await onSignIn(accountId, { ...(client_id === undefined ? {} : { client_id }), amr: amr.join(' ') });
  }

  /** The grant that an authorization made of a session which is no more. */
  async function revokeFreshGrant(): Promise<void> {
    const grantId = Provider.ctx?.oidc.entities.AuthorizationCode?.grantId;
    if (grantId !== undefined) await records.revokeGrant(grantId, { withGrant: true });
  }
}
