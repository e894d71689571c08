/** Second factors on the way to a sign-in: which one is missing, and proving it. */
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Config } from '../config/schema.ts';
import type { Factors } from '../factors/factors.ts';
import { requiredLevel } from '../factors/levels.ts';
import { nextFactor } from '../factors/next.ts';
import type { FactorStep, Way } from '../factors/next.ts';
import { FEW_CODES } from '../factors/recovery-codes.ts';
import { field } from '../http/body.ts';
import { deviceName } from '../http/device.ts';
import type { DeviceCookie } from '../http/device-cookie.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { isGatehouseError, minutes } from '../kernel/errors.ts';
import type { Limits } from '../limits/limits.ts';
import { askedOf } from '../oidc/asked.ts';
import { SECOND_FACTOR } from '../oidc/policy.ts';
import type { RoleBook } from '../roles/book.ts';
import type { Proof } from './dispatch.ts';
import { parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { MailedFactor } from './mailed-factor.ts';
import type { Progress, ProgressRecords } from './progress.ts';
import type { Visitor } from './visitor.ts';

export interface FactorStepNeeds {
  provider: Provider;
  settings: Config['factors'];
  accounts: Pick<Accounts, 'find'>;
  factors: Factors;
  limits: Limits;
  visitor: Visitor;
  progress: ProgressRecords;
  rememberedCookie: DeviceCookie;
  /** Undefined where no mail can be sent. */
  mailed: MailedFactor | undefined;
  /** Passkeys can be added on the way. */
  canEnrolPasskey: boolean;
  book: Pick<RoleBook, 'current'>;
}

/** Why a code was not taken, as a key of the catalogue. */
export interface FactorFailure {
  error: string;
  status: number;
  /** Minutes to wait, where the error is about that. */
  wait?: number;
}

/** Recovery codes: how many there are, and when they were made (ISO 8601, empty for none). */
export interface CodesLeft {
  left: number;
  since: string;
}

/** Seconds for which a proof is fresh enough to add a factor by. */
const FRESH = 900;
/** Browsers are remembered for so many people; the one longest unused goes first. */
const MOST_MARKS = 6;

const failed = (error: string, status = 400): FactorFailure => ({ error: `factors.error.${error}`, status });

/** Whether only a factor is missing from who is signed in: nothing needs to be proved again. */
export const isStepUp = ({ details }: InteractionUnderWay): boolean =>
  details.prompt.name === 'login' && details.prompt.reasons.join() === SECOND_FACTOR;

/** Whether the app wants it proved now, not some time ago. */
const wantsFresh = ({ details }: InteractionUnderWay): boolean =>
  parameter(details, 'max_age') !== undefined || (parameter(details, 'prompt') ?? '').split(' ').includes('login');

export function createFactorSteps(needs: FactorStepNeeds) {
  const { provider, settings, accounts, factors, limits, visitor, progress, rememberedCookie, mailed } = needs;

  /** Begins a step up with what the session has proved. */
  async function seeded(ctx: Context, under: InteractionUnderWay, now: Progress): Promise<Progress> {
    if (now.proofs.length > 0 || !isStepUp(under)) return now;
    const session = (await provider.Session.get(ctx)) as { accountId?: string; uid: string; proofs?: Proof[] };
    const { details } = under;
    const known = details.session;
    if (!known || session.uid !== known.uid || session.accountId !== known.accountId) return now;
    const proofs = (session.proofs ?? []).filter(({ account_id }) => account_id === session.accountId);
    return progress.change(details, (newest) => (newest.proofs.length > 0 ? newest : { ...newest, proofs }));
  }

  async function missing(under: InteractionUnderWay, account: Account, now: Progress): Promise<FactorStep> {
    const asked = askedOf(under.details.params, under.client);
    const { roles } = (await needs.book.current()).authorityOf(account);
    const required = requiredLevel(settings, roles, asked);
    const standing = {
      policy: settings,
      required,
      grace: false,
      skipped: now.enrolment_skipped === true,
      proofs: now.proofs,
      has: await factors.of(account.id),
      can_mail: mailed !== undefined && account.email_verified,
      can_enrol_passkey: needs.canEnrolPasskey,
    };
    const next = nextFactor(standing);
    // Their time begins when they are first asked.
    if (next.step !== 'enrol' || !required.by_policy) return next;
    return nextFactor({ ...standing, grace: (await factors.graceLeft(account.id)) > 0 });
  }

  // Whoever keeps an account that is to be deleted proves as much as for any other.
  const usable = (account: Account | undefined) => (account?.state === 'suspended' ? undefined : account);
  const accountOf = async ({ proofs: [first] }: Progress): Promise<Account | undefined> =>
    usable(first && (await accounts.find(first.account_id)));

  /** What the sign-in of `holder` still needs. An account that is gone needs nothing more: the engine finds that out. */
  async function stepFor(under: InteractionUnderWay, holder: Account | undefined, now: Progress): Promise<FactorStep> {
    const account = usable(holder);
    return account ? missing(under, account, now) : { step: 'enough' };
  }

  /** @returns the proof that this browser was told to remember a factor, where that is enough. */
  async function remembered(ctx: Context, under: InteractionUnderWay, now: Progress): Promise<Proof | undefined> {
    const account = await accountOf(now);
    if (!account || isStepUp(under) || wantsFresh(under)) return undefined;
    const proof: Proof = { method: 'remembered_device', account_id: account.id, at: epochSeconds() };
    const marks = rememberedCookie.read(ctx);
    if (marks.length === 0) return undefined;
    const { step } = await missing(under, account, { ...now, proofs: [...now.proofs, proof] });
    if (step !== 'enough') return undefined;
    return (await factors.devices.isRemembered(account.id, marks)) ? proof : undefined;
  }

  async function remember(ctx: Context, account: Account): Promise<void> {
    const mark = await factors.devices.remember(account.id, deviceName(ctx.get('User-Agent')) ?? '');
    rememberedCookie.write(ctx, [mark, ...rememberedCookie.read(ctx)].slice(0, MOST_MARKS));
  }

  /** @returns whether the code is right, or why it is no good at all. */
  async function isRight(
    under: InteractionUnderWay,
    account: Account,
    way: Way,
    code: string,
  ): Promise<boolean | 'spent'> {
    switch (way) {
      case 'totp':
        return factors.useTotp(account.id, code);
      case 'recovery_code':
        return factors.useRecoveryCode(account.id, code);
      case 'second_mailed_code': {
        const answer = (await mailed?.check(under, account, code)) ?? 'spent';
        return answer === 'spent' ? 'spent' : answer === 'right';
      }
      case 'passkey':
        return false; // proved by a page of its own
    }
  }

  /** Looks at a typed code, within the limits on guessing. */
  async function tryCode(
    ctx: Context,
    under: InteractionUnderWay,
    account: Account,
    way: Way,
  ): Promise<Proof | FactorFailure> {
    const code = field(ctx, 'code');
    if (code.trim() === '') return failed(`missing_${way}`);
    try {
      let spent = false;
      const right = await limits.guess('code', await visitor.keys(ctx, account.email), async () => {
        const answer = await isRight(under, account, way, code);
        spent = answer === 'spent';
        return answer === true ? true : undefined;
      });
      if (!right) return failed(spent ? 'spent' : `wrong_${way}`);
    } catch (error) {
      if (!isGatehouseError(error, 'limited')) throw error;
      ctx.set('Retry-After', String(error.retryAfter));
      return { error: 'limited.tries', status: 429, wait: minutes(error) };
    }
    if (settings.remember_device > 0 && way !== 'recovery_code' && field(ctx, 'remember') !== '')
      await remember(ctx, account);
    return { method: way, account_id: account.id, at: epochSeconds() };
  }

  async function codesOf(accountId: string): Promise<CodesLeft> {
    const { recovery_codes_left: left, recovery_codes_since: since } = await factors.details(accountId);
    return { left, since: since ?? '' };
  }

  return {
    seeded,
    stepFor,
    /** The same, for whom the proofs are of. */
    stepOf: async (under: InteractionUnderWay, now: Progress) => stepFor(under, await accountOf(now), now),
    accountOf,
    remembered,
    tryCode,
    /** Whether something was proved just now, or the session alone speaks for whoever is here. */
    isFresh: ({ proofs }: Progress): boolean => proofs.some(({ at }) => at >= epochSeconds() - FRESH),
    codesOf,
    /** The recovery codes that are left, where that is worth a warning. */
    async fewCodes(accountId: string): Promise<CodesLeft | undefined> {
      const codes = await codesOf(accountId);
      return codes.left <= FEW_CODES ? codes : undefined;
    },
  };
}

export type FactorSteps = ReturnType<typeof createFactorSteps>;
