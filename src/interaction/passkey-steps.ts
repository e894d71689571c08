/** Passkeys on the way to a sign-in: signing in with one, and adding one, where it was offered or at sign-up. */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Passkey } from '../factors/passkey.ts';
import type { PasskeyAnswer, PasskeyProblem, Passkeys } from '../factors/passkeys.ts';
import type { Holder } from '../factors/webauthn.ts';
import { field } from '../http/body.ts';
import type { Render } from '../http/render.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { isGatehouseError, minutes } from '../kernel/errors.ts';
import type { Limits } from '../limits/limits.ts';
import type { Proof } from './dispatch.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { PasskeyOffer } from './passkey-offer.ts';
import type { Progress } from './progress.ts';
import type { Visitor } from './visitor.ts';

/** The status of the page that tells of a problem. */
export const PASSKEY_STATUS: Record<PasskeyProblem, number> = { stale: 400, unknown: 401, refused: 401, taken: 409 };

/** Why a passkey did not do. */
export interface PasskeyFailure {
  /** Key of the catalogue. */
  error: string;
  status: number;
  /** Minutes to wait, where the error is about that. */
  wait?: number;
}

interface Needs {
  passkeys: Passkeys;
  limits: Pick<Limits, 'guess'>;
  visitor: Pick<Visitor, 'keys'>;
  offer: PasskeyOffer;
  accounts: Pick<Accounts, 'create' | 'find'>;
  render: Render;
  base: string;
  /** No account before its e-mail is proved. */
  verifyFirst: boolean;
}

/** Where the button to sign in with a passkey leads. @param path of the interaction. */
export const passkeyPaths = (path: string) => ({
  action: `${path}/passkey`,
  options_url: `${path}/passkey/options`,
});

/** Why the page to add a passkey is shown. `sign-up`: it is to be the way into a new account. */
export type Adding = 'sign-up' | 'offer';

/** What became of adding one. */
type Added = { proof: Proof; created?: Account } | PasskeyProblem | 'address_taken';

/** `amr` by RFC 8176: a key that was shown to be held (in hardware unless it is synced), and a person who was there. */
const amrOf = ({ synced }: Passkey): string[] => ['pop', synced ? 'swk' : 'hwk', 'user'];

export const passkeyProof = (passkey: Passkey): Proof => ({
  method: 'passkey',
  account_id: passkey.account_id,
  at: epochSeconds(),
  amr: amrOf(passkey),
  // `factors/webauthn.ts` takes nothing else.
  user_verified: true,
});

export function createPasskeySteps(needs: Needs) {
  const { passkeys, limits, visitor, offer, accounts, render, base, verifyFirst } = needs;
  const bindingOf = ({ details }: InteractionUnderWay) => `interaction:${details.uid}`;

  /** What the browser's script is to be given. */
  function answerOptions(ctx: Context, options: object): void {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = options;
  }

  /** Whether the page to add a passkey is due, and why. */
  async function due(ctx: Context, { sign_up, proofs: [first], passkey_answered, enrolment_skipped }: Progress) {
    if (passkey_answered || enrolment_skipped) return undefined;
    const own = sign_up && (first ? first.account_id === sign_up.account_id : !verifyFirst);
    if (own) return 'sign-up' satisfies Adding;
    return first && (await offer.isDue(ctx, first)) ? ('offer' satisfies Adding) : undefined;
  }

  /** For whom a passkey is added: an account that was proved, or one that is to be made. */
  async function holderOf({ sign_up, proofs: [first] }: Progress): Promise<Holder | undefined> {
    const account = first && (await accounts.find(first.account_id));
    if (account?.state === 'active') return account;
    return sign_up && !first ? { ...sign_up, id: sign_up.account_id } : undefined;
  }

  async function showAdding(
    ctx: Context,
    under: InteractionUnderWay,
    adding: Adding,
    problem?: PasskeyProblem | 'too_many',
  ): Promise<void> {
    const path = `${base}/interaction/${under.details.uid}`;
    const model = {
      client: clientForPages(under.client, base),
      adding,
      passkey: { action: `${path}/add-passkey`, options_url: `${path}/add-passkey/options` },
      skip_action: `${path}/add-passkey/skip`,
      // Before there is an account there is nothing to skip to.
      password_url: adding === 'sign-up' && !verifyFirst ? `${path}/sign-up` : null,
      error: problem ? `passkeys.problem.${problem}` : null,
    };
    const status = problem === undefined ? 200 : problem === 'too_many' ? 409 : PASSKEY_STATUS[problem];
    await render(ctx, 'interaction/add-passkey', model, {
      title: [`passkeys.${adding === 'sign-up' ? 'sign_up' : 'offer'}.title`],
      status,
      ui_locales: parameter(under.details, 'ui_locales'),
    });
  }

  /** Looks at an answer within its limits: nobody guesses a passkey, but each answer takes time to check. */
  async function tried(
    ctx: Context,
    email: string | undefined,
    check: () => Promise<PasskeyAnswer>,
  ): Promise<Proof | PasskeyFailure> {
    let problem: PasskeyProblem = 'refused';
    try {
      const passkey = await limits.guess('passkey', await visitor.keys(ctx, email), async () => {
        const answer = await check();
        if ('passkey' in answer) return answer.passkey;
        ({ problem } = answer);
        return undefined;
      });
      if (passkey) return passkeyProof(passkey);
      return { error: `passkeys.problem.${problem}`, status: PASSKEY_STATUS[problem] };
    } catch (error) {
      if (!isGatehouseError(error, 'limited')) throw error;
      ctx.set('Retry-After', String(error.retryAfter));
      return { error: 'limited.tries', status: 429, wait: minutes(error) };
    }
  }

  /** Makes the account that waits for its passkey. @returns undefined when somebody has the address by now. */
  async function makeAccount({ account_id: id, name, email }: NonNullable<Progress['sign_up']>) {
    try {
      return await accounts.create({ id, name, email });
    } catch (error) {
      if (!isGatehouseError(error, 'duplicate')) throw error;
      return undefined;
    }
  }

  return {
    due,
    showAdding,
    remember: offer.answered,

    async signInOptions(ctx: Context, under: InteractionUnderWay): Promise<void> {
      answerOptions(ctx, await passkeys.signInOptions(bindingOf(under)));
    },

    /** @throws invalid_input where the form holds no answer of a passkey. */
    signIn: (ctx: Context, under: InteractionUnderWay): Promise<Proof | PasskeyFailure> =>
      tried(ctx, undefined, () => passkeys.signIn(bindingOf(under), field(ctx, 'credential'))),

    async confirmOptions(ctx: Context, under: InteractionUnderWay, accountId: string): Promise<void> {
      answerOptions(ctx, await passkeys.confirmOptions(bindingOf(under), accountId));
    },

    /** The same for a person who is known already. */
    confirm: (ctx: Context, under: InteractionUnderWay, { id, email }: Account): Promise<Proof | PasskeyFailure> =>
      tried(ctx, email, () => passkeys.confirm(bindingOf(under), id, field(ctx, 'credential'))),

    async addingOptions(ctx: Context, under: InteractionUnderWay, now: Progress): Promise<void> {
      const holder = await holderOf(now);
      if (holder) answerOptions(ctx, await passkeys.registrationOptions(bindingOf(under), holder));
      else ctx.status = 409;
    },

    /**
     * Adds a passkey to the account that was proved, or to one that is made with it. The passkey comes first: an account that
     * nobody can enter would be worse than a passkey that opens nothing.
     * @throws limited after too many answers that do not hold.
     */
    async add(ctx: Context, under: InteractionUnderWay, now: Progress): Promise<Added> {
      const holder = await holderOf(now);
      if (!holder) return 'stale';
      let problem: PasskeyProblem = 'refused';
      const email = now.proofs.length > 0 ? holder.email : undefined;
      const passkey = await limits.guess('passkey', await visitor.keys(ctx, email), async () => {
        const answer = await passkeys.register(bindingOf(under), holder.id, field(ctx, 'credential'));
        if ('passkey' in answer) return answer.passkey;
        ({ problem } = answer);
        return undefined;
      });
      if (!passkey) return problem;
      const proof = passkeyProof(passkey);
      if (now.proofs.length > 0 || !now.sign_up) return { proof };
      const created = await makeAccount(now.sign_up);
      if (created) return { proof, created };
      await passkeys.forget(passkey);
      return 'address_taken';
    },
  };
}

export type PasskeySteps = ReturnType<typeof createPasskeySteps>;
