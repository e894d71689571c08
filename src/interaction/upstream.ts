/** Signing in with an upstream: its buttons, the way there, and what becomes of an identity that was proved there. */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Passkeys } from '../factors/passkeys.ts';
import type { Linking, Resolution } from '../federation/linking.ts';
import { UpstreamError } from '../federation/connector.ts';
import type { PendingIdentity } from '../federation/identity.ts';
import type { Provider as Upstream, Providers } from '../federation/providers.ts';
import { UPSTREAM_LOGIN } from '../federation/upstream-login.ts';
import type { UpstreamLogin } from '../federation/upstream-login.ts';
import type { BrowserMark } from '../http/browser-mark.ts';
import { field } from '../http/body.ts';
import type { ContinueTo } from '../http/continue.ts';
import type { Render } from '../http/render.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { Proof } from './dispatch.ts';
import { clientForPages, parameter } from './journey.ts';
import type { MailSteps } from './mail-steps.ts';
import type { TryPassword } from './password-proof.ts';
import type { InteractionUnderWay } from './journey.ts';
import { passkeyPaths } from './passkey-steps.ts';
import { withProof } from './progress.ts';
import type { Progress, ProgressRecords } from './progress.ts';
import { logUpstreamFailure, mayUse } from './upstream-login.ts';

export interface UpstreamNeeds {
  providers: Providers;
  linking: Linking;
  accounts: Accounts;
  records: SealedRecords;
  progress: ProgressRecords;
  browserMark: BrowserMark;
  render: Render;
  continueTo: ContinueTo;
  log: Logger;
  tryPassword: TryPassword;
  base: string;
  /** Undefined where there are none. */
  passkeys: Pick<Passkeys, 'list'> | undefined;
  /** Where mails can be sent. */
  mailSteps: Pick<MailSteps, 'ask'> | undefined;
}

/** A button. */
export interface OfferedProvider {
  name: string;
  type: Upstream['type'];
  display_name: string;
  logo: string | null;
  action: string;
}

/** What a page says of an attempt that led nowhere, and with which status. */
export interface UpstreamNotice {
  problem: string;
  provider: string;
  status: number;
}

const HINT = 'UpstreamHint';
/** Seconds that a person may take there. */
const LIFE = 1800;

const STATUS: Record<string, number> = {
  cancelled: 200,
  unavailable: 502,
  refused: 502,
  unproved_account: 409,
  already_joined: 409,
};
const FORBIDDEN = 403;
/** The account's e-mail became somebody else's while the page was open. */
const NO_MATCH = { error: 'sign_in.error.no_match', status: 401 };

export function createUpstream(needs: UpstreamNeeds) {
  const { providers, linking, accounts, records, progress, browserMark, render, continueTo, log, base, mailSteps } =
    needs;
  const { tryPassword } = needs;

  function offered({ details, client }: InteractionUnderWay): OfferedProvider[] {
    const usable = providers.all.filter(({ name }) => mayUse(client, name));
    return usable.map(({ name, type, display_name, has_logo }) => ({
      name,
      type,
      display_name,
      logo: has_logo ? `${base}/assets/provider-${name}` : null,
      action: `${base}/interaction/${details.uid}/upstream/${name}`,
    }));
  }

  function notice({ upstream_problem }: Progress): UpstreamNotice | undefined {
    if (!upstream_problem) return undefined;
    const { problem, provider } = upstream_problem;
    const display_name = providers.find(provider)?.display_name ?? provider;
    return { problem, provider: display_name, status: STATUS[problem] ?? FORBIDDEN };
  }

  function findUsable({ client }: InteractionUnderWay, name: string): Upstream {
    const upstream = providers.find(name);
    if (!upstream || !mayUse(client, name)) throw notFound('There is no such way to sign in here.');
    return upstream;
  }

  /** Remembers what the answer is checked against. @returns the address at the upstream. @throws UpstreamError. */
  async function leave(ctx: Context, { details, client }: InteractionUnderWay, upstream: Upstream): Promise<string> {
    const maxAge = Number(parameter(details, 'max_age') ?? Number.NaN);
    const { url, checks } = await upstream.begin({
      login_hint: parameter(details, 'login_hint'),
      fresh: parameter(details, 'prompt')?.split(' ').includes('login') ?? false,
      max_age: Number.isFinite(maxAge) ? maxAge : undefined,
      select_account: details.prompt.name === 'select_account',
    });
    const login: UpstreamLogin = {
      provider: upstream.name,
      uid: details.uid,
      exp: details.exp,
      client_id: client.clientId,
      browser: browserMark.of(ctx),
      checks,
    };
    const ttl = Math.max(1, Math.min(LIFE, details.exp - epochSeconds()));
    await records.upsert(UPSTREAM_LOGIN, checks.state, { login }, ttl);
    return url;
  }

  /** @returns the address at the upstream, or undefined after noting why there is none. */
  async function tryToLeave(ctx: Context, under: InteractionUnderWay, upstream: Upstream): Promise<string | undefined> {
    try {
      return await leave(ctx, under, upstream);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      logUpstreamFailure(log, upstream.name, error);
      const upstream_problem = { provider: upstream.name, problem: error.problem };
      await progress.change(under.details, (current) => ({ ...current, upstream_problem }));
      return undefined;
    }
  }

  /** The button. @returns whether the browser is on its way. */
  async function begin(ctx: Context, under: InteractionUnderWay, name: string): Promise<boolean> {
    const upstream = findUsable(under, name);
    const url = await tryToLeave(ctx, under, upstream);
    if (url !== undefined) await continueTo(ctx, url);
    return url !== undefined;
  }

  /** `idp_hint`: once in each interaction, so that whoever comes back without an identity finds the page. */
  async function followHint(ctx: Context, under: InteractionUnderWay, current: Progress): Promise<boolean> {
    const { details, client } = under;
    const upstream = providers.find(parameter(details, 'idp_hint') ?? '');
    if (!upstream || !mayUse(client, upstream.name) || current.upstream_problem) return false;
    const ttl = Math.max(1, details.exp - epochSeconds());
    if (!(await records.insertIfAbsent(HINT, details.uid, {}, ttl))) return false;
    const url = await tryToLeave(ctx, under, upstream);
    if (url === undefined) return false;
    ctx.status = 303;
    ctx.redirect(url);
    return true;
  }

  const proofOf = ({ provider, at, amr, acr, auth_time }: PendingIdentity, account_id: string): Proof => ({
    method: 'federated',
    account_id,
    at: Math.min(at, auth_time ?? at),
    provider,
    ...(amr === undefined ? {} : { amr }),
    ...(acr === undefined ? {} : { acr }),
  });

  function afterResolution(current: Progress, identity: PendingIdentity, resolution: Resolution): Progress {
    const settled: Progress = { ...current, identity: undefined, upstream_problem: undefined };
    switch (resolution.kind) {
      case 'account':
        return withProof(settled, proofOf(identity, resolution.account_id));
      case 'join':
        return {
          ...settled,
          joining: { identity, account_id: resolution.account_id, by_mail_alone: resolution.by_mail_alone },
        };
      case 'refused':
        return { ...settled, upstream_problem: { provider: identity.provider, problem: resolution.reason } };
    }
  }

  /** Finds or makes the account of the identity that was proved, or says why there is none. */
  async function settle(under: InteractionUnderWay, current: Progress): Promise<Progress> {
    const identity = current.identity!;
    const upstream = providers.find(identity.provider);
    // Taken out of the configuration, or off the app's list, while the person was away.
    if (!upstream || !mayUse(under.client, upstream.name)) {
      const upstream_problem = { provider: identity.provider, problem: 'refused' };
      return progress.change(under.details, (newest) => ({ ...newest, identity: undefined, upstream_problem }));
    }
    const resolution = await linking.resolve(identity, upstream);
    if (resolution.kind === 'refused')
      log.info({ provider: upstream.name, reason: resolution.reason }, 'an upstream identity got no account');
    return progress.change(under.details, (newest) => afterResolution(newest, identity, resolution));
  }

  /** Joins the identity to the account, which was proved just now. */
  async function join(current: Progress): Promise<Progress> {
    const { identity, account_id } = current.joining!;
    const joined = await linking.join(identity, account_id);
    log.info({ provider: identity.provider, sub: account_id, joined }, 'an upstream identity was to be joined');
    const without: Progress = { ...current, joining: undefined };
    return joined ? withProof(without, proofOf(identity, account_id)) : without;
  }

  /** Other upstreams by which the person may prove the account. */
  async function otherWays(under: InteractionUnderWay, account: Account, except: string): Promise<OfferedProvider[]> {
    const names = new Set((await linking.identitiesOf(account.id)).map(({ provider }) => provider));
    return offered(under).filter(({ name }) => names.has(name) && name !== except);
  }

  async function showLink(
    ctx: Context,
    under: InteractionUnderWay,
    { joining, upstream_problem }: Progress,
    { error = null, status = 200, wait = 0 }: { error?: string | null; status?: number; wait?: number } = {},
  ): Promise<void> {
    const { details, client } = under;
    const { identity, account_id, by_mail_alone } = joining!;
    const account = await accounts.find(account_id);
    if (!account) throw notFound('The account is gone.');
    const provider = providers.find(identity.provider)?.display_name ?? identity.provider;
    const path = `${base}/interaction/${details.uid}`;
    const found = notice({ proofs: [], upstream_problem });
    const page = {
      client: clientForPages(client, base),
      provider,
      email: account.email,
      by_mail_alone,
      has_password: account.password_hash !== null && !by_mail_alone,
      passkey: !by_mail_alone && (await needs.passkeys?.list(account.id))?.length ? passkeyPaths(path) : null,
      action: `${path}/link`,
      mail_action: mailSteps ? `${path}/link/mail` : null,
      cancel_action: `${path}/link/cancel`,
      upstream: by_mail_alone ? [] : await otherWays(under, account, identity.provider),
      error,
      wait,
      upstream_notice: error === null ? (found ?? null) : null,
    };
    await render(ctx, 'interaction/link', page, {
      title: ['link.title', { provider }],
      status: error === null && found ? found.status : status,
      ui_locales: parameter(details, 'ui_locales'),
    });
  }

  /** Mails the owner of the account a link and a code. */
  async function mailLink(ctx: Context, under: InteractionUnderWay, current: Progress): Promise<void> {
    const { account_id, identity } = current.joining!;
    const account = await accounts.find(account_id);
    if (!account || !mailSteps) throw notFound('There is no mail to be had.');
    const provider = providers.find(identity.provider)?.display_name ?? identity.provider;
    await mailSteps.ask(ctx, under, { purpose: 'link_account', email: account.email, account_id, provider });
  }

  /** The password on the page that joins. @returns the proof, or undefined after showing the page again. */
  async function proveLink(ctx: Context, under: InteractionUnderWay, current: Progress): Promise<Proof | undefined> {
    const { account_id, by_mail_alone } = current.joining!;
    const account = by_mail_alone ? undefined : await accounts.find(account_id);
    const tried = await tryPassword(ctx, account?.email ?? '', field(ctx, 'password'));
    if ('proof' in tried && tried.proof.account_id === account_id) return tried.proof;
    await showLink(ctx, under, current, 'proof' in tried ? NO_MATCH : tried);
    return undefined;
  }

  return { offered, notice, begin, followHint, settle, join, showLink, mailLink, proveLink };
}

export type UpstreamSteps = ReturnType<typeof createUpstream>;
