import { errors, interactionPolicy } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import type { FactorSummary } from '../factors/factors.ts';
import { isUnknown, reachedLevel, requiredLevel } from '../factors/levels.ts';
import type { Policy, Proof } from '../factors/levels.ts';
import { nextFactor } from '../factors/next.ts';
import type { RoleBook } from '../roles/book.ts';
import { askedOf } from './asked.ts';
import { asksEachTime } from './grants.ts';

const { Check, Prompt, base } = interactionPolicy;

/** The reason of an interaction that asks for a factor which the session lacks, and for nothing else. */
export const SECOND_FACTOR = 'second_factor';

export interface PolicyNeeds {
  settings: Policy;
  factors: {
    of(accountId: string): Promise<FactorSummary>;
    graceLeft(accountId: string): Promise<number>;
  };
  /** A role that takes a second factor may be that of a group. */
  book: Pick<RoleBook, 'current'>;
  canEnrolPasskey: boolean;
}

/** Whether the session proves too little for the request. @throws UnmetAuthenticationRequirements where no sign-in would help. */
async function lacksFactor({ oidc }: KoaContextWithOIDC, needs: PolicyNeeds): Promise<boolean> {
  const { settings, factors } = needs;
  const asked = askedOf(oidc.params as Record<string, unknown>, oidc.client!);
  if (isUnknown(asked)) throw new errors.UnmetAuthenticationRequirements('no such acr value is supported');
  const account = (oidc.account as { record?: Account } | undefined)?.record;
  if (oidc.session?.accountId === undefined || !account) return false;

  const { proofs = [] } = oidc.session as unknown as { proofs?: Proof[] };
  const required = requiredLevel(settings, (await needs.book.current()).authorityOf(account).roles, asked);
  const level = Math.max(1, reachedLevel(proofs));
  // What is merely wished for is asked for once in each authorization.
  const tried = (oidc.result as { login?: unknown } | undefined)?.login !== undefined;
  if (level >= (tried ? required.firm : required.wished)) return false;
  const grace = required.by_policy && (await factors.graceLeft(account.id)) > 0;
  const { step } = nextFactor({
    policy: settings,
    required: tried ? { ...required, wished: required.firm } : required,
    grace,
    skipped: grace,
    proofs,
    has: await factors.of(account.id),
    can_mail: true,
    can_enrol_passkey: needs.canEnrolPasskey,
  });
  if (step === 'unmet') throw new errors.UnmetAuthenticationRequirements('the person cannot reach the acr asked for');
  return step !== 'enough';
}

/** When a person must sign in or consent: the library's policy with a prompt and some checks of ours. */
export function createPolicy(needs: PolicyNeeds): interactionPolicy.DefaultPolicy {
  const policy = base();
  // `prompt=select_account`: here that is signing in, as whoever the person likes.
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0);
  const login = policy.get('login')!;
  login.checks.add(
    new Check('account_gone', 'the account of this session is gone or suspended', 'login_required', ({ oidc }) =>
      oidc.session?.accountId !== undefined && oidc.account === undefined
        ? Check.REQUEST_PROMPT
        : Check.NO_NEED_TO_PROMPT,
    ),
  );
  // Ours knows that a stronger sign-in satisfies who asks for a weaker one, and what is out of reach.
  login.checks.remove('essential_acrs');
  login.checks.remove('essential_acr');
  login.checks.add(
    new Check(SECOND_FACTOR, 'the sign-in proves too little', 'login_required', async (ctx) =>
      (await lacksFactor(ctx, needs)) ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
    ),
  );
  const consent = policy.get('consent')!;
  consent.checks.remove('native_client_prompt');
  consent.checks.add(
    new Check('native_client', 'the client asks its people each time', 'interaction_required', ({ oidc }) =>
      asksEachTime(oidc.client!) && oidc.result?.consent === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
    ),
    0,
  );
  return policy;
}
