/**
 * Mail on the way to a sign-in: a link and a code to the address in question, and what they prove. Everything a journey sees is
 * the same whether an account exists or not; only the mail differs.
 */
import type { Account } from '../accounts/account.ts';
import { isClosed } from '../accounts/leaving.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { readsBest } from '../accounts/profile.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { AccountLinks } from './account-links.ts';
import { CODE_TTL } from './codes.ts';
import type { MailedCodes } from './codes.ts';
import type { JourneyMark, MailedLinks } from './links.ts';
import type { AddressProofs } from './proofs.ts';
import type { Recovery } from './recovery.ts';
import type { MailRequest, MailRequests, RequestPurpose } from './request.ts';

/** What one journey may ask for: enough for a mail that got lost and a typing mistake. */
export const MAILS_PER_JOURNEY = 5;

/** In seconds. A sign-in by mail is as short-lived as its code; a sign-up may take as long as the journey. */
const lifeOf = (code: string) => ({ code, code_minutes: CODE_TTL / 60 });
const LINK_TTL = { sign_up: 3600, verify_email: 3600, sign_in: CODE_TTL, link_account: CODE_TTL };

/** `taken`: right, but somebody else has the address by now. */
export type MailAnswer = 'right' | 'wrong' | 'spent' | 'taken';

export type NewMailRequest = Pick<MailRequest, 'purpose' | 'email' | 'locale' | 'app'> &
  Partial<Pick<MailRequest, 'account_id' | 'sign_up' | 'provider'>>;

export interface JourneyMail {
  find(uid: string): Promise<MailRequest | undefined>;
  /** Notes what is to be proved, in the place of an earlier request of the journey. The mail itself is `deliver`. */
  begin(journey: JourneyMark, request: NewMailRequest): Promise<void>;
  /** Counts one more mail, to another address if one is named. @returns whether there may be one more. */
  again(journey: JourneyMark, email?: string): Promise<boolean>;
  /** Mails what the request needs. To be done after the answer, whose time then tells nothing. */
  deliver(journey: JourneyMark): Promise<void>;
  tryCode(journey: JourneyMark, code: string): Promise<MailAnswer>;
  /** Notes what a link proved, for the journey to find. */
  noteProof(journey: JourneyMark, request: MailRequest, accountId: string): Promise<void>;
}

interface Needs {
  accounts: Accounts;
  requests: MailRequests;
  links: MailedLinks;
  accountLinks: AccountLinks;
  codes: MailedCodes;
  proofs: AddressProofs;
  recovery: Pick<Recovery, 'linkFor'>;
  mailer: Mailer;
}

const mayBeMailed = (purpose: RequestPurpose, account: Account): boolean =>
  account.state === 'active' || (purpose === 'sign_in' && !isClosed(account));

export function createJourneyMail(needs: Needs): JourneyMail {
  const { accounts, requests, links, accountLinks, codes, proofs, recovery, mailer } = needs;

  async function mailSignUp(journey: JourneyMark, request: MailRequest, code: string): Promise<void> {
    const { email, locale, app } = request;
    const holder = await accounts.findByEmail(email);
    if (holder) {
      const url = await recovery.linkFor(holder, journey);
      return mailer.send({
        to: holder.email,
        template: 'sign-up-existing',
        locale: readsBest(holder, locale),
        data: { url, app },
      });
    }
    const ttl = LINK_TTL.sign_up;
    const about = { subject: journey.uid, email, account_id: null, state: null, journey, data: {}, ttl };
    const url = await links.issue({ purpose: 'sign_up', ...about });
    return mailer.send({
      to: email,
      template: 'verify-email',
      locale,
      data: { url, ...lifeOf(code), app, minutes: ttl / 60 },
    });
  }

  async function mailNobody({ email, locale, purpose }: MailRequest): Promise<void> {
    await accountLinks.issueDecoy(purpose, email, LINK_TTL[purpose]);
    const key = `no-account:${email.toLowerCase()}:${Math.floor(epochSeconds() / 86_400)}`;
    await mailer.send({ to: email, template: 'no-account', locale, data: {}, key });
  }

  const TEMPLATE = { verify_email: 'verify-email', sign_in: 'sign-in-link', link_account: 'link-account' } as const;

  async function mailAccount(journey: JourneyMark, request: MailRequest, account: Account, code: string) {
    const { purpose, email, locale, app, provider } = request;
    if (purpose === 'sign_up') return;
    const holder = purpose === 'verify_email' ? await accounts.findByEmail(email) : account;
    if (holder && holder.id !== account.id) {
      const url = await recovery.linkFor(holder);
      return mailer.send({
        to: holder.email,
        template: 'sign-up-existing',
        locale: readsBest(holder, locale),
        data: { url, app },
      });
    }
    const ttl = LINK_TTL[purpose];
    const url = await accountLinks.issue(purpose, { account, email, journey, ttl });
    const data = {
      url,
      ...lifeOf(code),
      app,
      name: account.name,
      minutes: ttl / 60,
      ...(provider ? { provider } : {}),
    };
    return mailer.send({ to: email, template: TEMPLATE[purpose], locale: readsBest(account, locale), data });
  }

  async function prove(request: MailRequest): Promise<Account | undefined> {
    const { purpose, email, sign_up, account_id } = request;
    if (purpose === 'sign_up') return sign_up ? proofs.signUp(sign_up, email) : undefined;
    return account_id === null ? undefined : proofs.forAccount(purpose, account_id, email);
  }

  /** Put, not changed: proving may have ended all that was under way for the account, this request too. */
  const note = (
    journey: JourneyMark,
    request: MailRequest,
    account_id: string,
    method: 'mailed_link' | 'mailed_code',
  ) => requests.put(journey, { ...request, account_id, proved: { account_id, method, at: epochSeconds() } });

  return {
    find: (uid) => requests.find(uid),

    begin: (journey, { account_id = null, sign_up = null, provider = null, ...request }) =>
      requests.put(journey, { ...request, account_id, sign_up, provider, mails: 1, proved: null }),

    async again(journey, email) {
      let allowed = false;
      await requests.change(journey, (request) => {
        allowed = request.mails < MAILS_PER_JOURNEY && request.proved === null;
        return allowed ? { ...request, email: email ?? request.email, mails: request.mails + 1 } : request;
      });
      return allowed;
    },

    async deliver(journey) {
      const request = await requests.find(journey.uid);
      if (!request) return;
      const { purpose, email, account_id } = request;
      const code = await codes.issue({ purpose, uid: journey.uid, email });
      const account = account_id === null ? undefined : await accounts.find(account_id);
      if (purpose === 'sign_up') await mailSignUp(journey, request, code);
      else if (account && mayBeMailed(purpose, account)) await mailAccount(journey, request, account, code);
      else await mailNobody(request);
    },

    async tryCode(journey, code) {
      const request = await requests.find(journey.uid);
      if (!request) return 'spent';
      const { purpose, email } = request;
      const answer = await codes.check({ purpose, uid: journey.uid, email }, code);
      if (answer !== 'right') return answer;
      const account = await prove(request);
      if (!account) return purpose === 'sign_up' || purpose === 'verify_email' ? 'taken' : 'wrong';
      await note(journey, request, account.id, 'mailed_code');
      return 'right';
    },

    noteProof: (journey, request, accountId) => note(journey, request, accountId, 'mailed_link'),
  };
}
