/** Requests of apps (CIBA) that a person answers on their account page: what is asked, what the answer takes, and what follows from it. */
import type { Client as ProviderClient, Provider } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import type { Client } from '../clients/client.ts';
import { isBuiltIn } from '../clients/client.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { Factors } from '../factors/factors.ts';
import { ACR, acrToTell, amrOf, isUnknown, reachedLevel, requiredLevel } from '../factors/levels.ts';
import type { Policy, Proof } from '../factors/levels.ts';
import { nextFactor } from '../factors/next.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { conflict } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { SessionApps } from '../logout/session-apps.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { RoleBook } from '../roles/book.ts';
import { acrsAsked, askedOf } from './asked.ts';
import { APPROVAL } from './asking.ts';
import type { Approval } from './asking.ts';
import { consentItems, giveConsent } from './consenting.ts';
import { detailsIn } from './features/authorization-details.ts';
import { issueGrant, requestedConsent } from './grants.ts';
import type { Pings } from './pings.ts';

/** One that waits for its answer. */
export interface Open extends Approval {
  client: ProviderClient;
  /** What the app shows the person too, so that they see that it is the same request. */
  binding_message: string | undefined;
  params: Record<string, unknown>;
}

/** Who answers: signed in, with what they proved. */
export interface Answerer {
  account: Account;
  session: { uid: string; auth_time: number };
  proofs: Proof[];
}

/** What is missing before a request may be allowed: nothing, a sign-in that reaches `acr`, or what cannot be had. */
export type Lacking = { acr: string } | 'unmet' | undefined;

export interface Approvals {
  /** The newest first. */
  list(accountId: string): Promise<Open[]>;
  /** Undefined where it was answered, is over, or asks somebody else. */
  find(accountId: string, id: string): Promise<Open | undefined>;
  /** What it asks for. */
  items(open: Open, account: Account): ReturnType<typeof consentItems>;
  lacking(open: Open, by: Answerer): Promise<Lacking>;
  /** @param ticked the optional scopes that were left on. @throws conflict where it was answered meanwhile. */
  approve(open: Open, by: Answerer, ticked: string[]): Promise<void>;
  deny(open: Open): Promise<void>;
}

interface Request {
  jti: string;
  accountId: string;
  isValid: boolean;
  grantId?: string;
  error?: string;
  remainingTTL: number;
  scope?: string;
  resource?: string | string[];
  params: Record<string, unknown>;
}

interface Library {
  BackchannelAuthenticationRequest: { find(id: string): Promise<Request | undefined> };
}

const REQUEST = 'BackchannelAuthenticationRequest';

/** What an answer makes of a request, by the library's names. */
type Answer = { grantId: string; [about: string]: unknown } | { error: string; errorDescription: string };

interface Needs {
  provider: Provider;
  records: SealedRecords;
  consents: Pick<ConsentStore, 'find' | 'put'>;
  directory: { api(resource: string): Promise<Client | undefined> };
  factors: Pick<Factors, 'of'>;
  book: Pick<RoleBook, 'current'>;
  apps: Pick<SessionApps, 'note'>;
  pings: Pick<Pings, 'prepare' | 'send'>;
  policy: Policy;
  canEnrolPasskey: boolean;
}

export function createApprovals(needs: Needs): Approvals {
  const { provider, records, consents, directory, apps, pings } = needs;
  const library = provider as unknown as Library;

  async function opened(payload: object): Promise<Open | undefined> {
    const approval = payload as Approval;
    const [request, client] = await Promise.all([
      library.BackchannelAuthenticationRequest.find(approval.auth_req_id),
      provider.Client.find(approval.client_id),
    ]);
    if (!request?.isValid || !client || request.accountId !== approval.accountId) return undefined;
    if (request.grantId !== undefined || request.error !== undefined) return undefined;
    const { scope, resource, params } = request;
    const binding = params['binding_message'];
    return {
      ...approval,
      client,
      binding_message: typeof binding === 'string' ? binding : undefined,
      params: { ...params, scope, resource },
    };
  }

  const requestOf = ({ params, client }: Open) => requestedConsent(params, client, directory);

  const detailsOf = ({ params }: Open) => detailsIn(params['authorization_details']);

  /**
   * The answer stands in the request itself, by one write: of all who answer at once one does, and whoever is stopped before it has not
   * answered, so that the person can still do so.
   */
  async function settle({ id, auth_req_id, until, client }: Open, answer: () => Promise<Answer>): Promise<void> {
    const seen = await records.find(REQUEST, auth_req_id);
    const isOpen = seen && seen.grantId === undefined && seen['error'] === undefined && seen.consumed === undefined;
    if (!isOpen) throw conflict('The request was answered already.');
    const said = await answer();
    const ttl = Math.max(1, until - epochSeconds());
    const isTold = client['backchannelTokenDeliveryMode'] === 'ping';
    if (isTold) await pings.prepare(auth_req_id, ttl);
    if (!(await records.replace(REQUEST, auth_req_id, seen, { ...seen, ...said }, ttl))) {
      if ('grantId' in said) await records.revokeGrant(said.grantId, { withGrant: true });
      throw conflict('The request was answered already.');
    }
    if (isTold) pings.send(auth_req_id);
    await records.destroy(APPROVAL, id);
  }

  /** The app takes part in the session that its tokens end with. @returns what it knows the session by. */
  async function noteApp({ client, params }: Open, { account, session }: Answerer): Promise<string> {
    const sid = newId();
    const { scope } = params;
    const offline = typeof scope === 'string' && scope.split(' ').includes('offline_access');
    const { clientId: client_id } = client;
    if (!isBuiltIn(client_id))
      await apps.note({ account_id: account.id, client_id, session_uid: session.uid, sid, offline });
    return sid;
  }

  async function grantFor(open: Open, { account, session }: Answerer, ticked: string[]): Promise<string> {
    const { client } = open;
    const [request, details] = [await requestOf(open), detailsOf(open)];
    if (client['first_party'])
      return issueGrant(provider, {
        accountId: account.id,
        client,
        sessionUid: session.uid,
        request,
        declined: [],
        api: directory.api,
        details,
      });
    const consent = await consents.find(account.id, client.clientId);
    return giveConsent(
      { provider, consents, directory },
      { account, consent, request, client, sessionUid: session.uid, ticked, details },
    );
  }

  return {
    async list(accountId) {
      const all = await Promise.all((await records.listByAccount(APPROVAL, accountId)).map(opened));
      return all.filter((open) => open !== undefined).toSorted((a, b) => b.at - a.at);
    },
    async find(accountId, id) {
      const payload = await records.find(APPROVAL, id);
      return payload?.accountId === accountId ? opened(payload) : undefined;
    },
    async items(open, account) {
      const consent = await consents.find(account.id, open.client.clientId);
      return consentItems({ request: await requestOf(open), consent, account, details: detailsOf(open) }, needs);
    },

    async lacking({ params, client }, { account, proofs }) {
      const asked = askedOf(params, client);
      if (isUnknown(asked)) return 'unmet';
      const { roles } = (await needs.book.current()).authorityOf(account);
      const required = requiredLevel(needs.policy, roles, asked);
      const { step } = nextFactor({
        policy: needs.policy,
        required,
        grace: false,
        skipped: true,
        proofs,
        has: await needs.factors.of(account.id),
        can_mail: true,
        can_enrol_passkey: needs.canEnrolPasskey,
      });
      if (step === 'enough') return undefined;
      if (step === 'unmet') return 'unmet';
      const reached = reachedLevel(proofs);
      if (reached < required.firm) return { acr: ACR[required.firm] };
      // Beside what the app asks for, who has an authenticator app has asked not to be let in without.
      return { acr: ACR[reached < required.wished ? required.wished : 2] };
    },

    approve: (open, by, ticked) =>
      settle(open, async () => {
        const grantId = await grantFor(open, by, ticked);
        const sid = await noteApp(open, by);
        const acr = acrToTell(acrsAsked(askedOf(open.params, open.client)), by.proofs);
        const { includeSid } = open.client as unknown as { includeSid(): boolean };
        return {
          grantId,
          acr,
          amr: amrOf(by.proofs),
          authTime: by.session.auth_time,
          rar: detailsOf(open).length > 0 ? detailsOf(open) : undefined,
          ...(includeSid.call(open.client) ? { sid } : {}),
        };
      }),
    deny: (open) =>
      settle(open, async () => ({ error: 'access_denied', errorDescription: 'the person denied the request' })),
  };
}
