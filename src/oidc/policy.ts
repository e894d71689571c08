import { interactionPolicy } from 'oidc-provider';
import { asksEachTime } from './grants.ts';

const { Check, Prompt, base } = interactionPolicy;

/** When a person must sign in or consent: the library's policy with a prompt and two checks of ours. */
export function createPolicy(): interactionPolicy.DefaultPolicy {
  const policy = base();
  // `prompt=select_account`: here that is signing in, as whoever the person likes.
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0);
  policy
    .get('login')!
    .checks.add(
      new Check('account_gone', 'the account of this session is gone or suspended', 'login_required', ({ oidc }) =>
        oidc.session?.accountId !== undefined && oidc.account === undefined
          ? Check.REQUEST_PROMPT
          : Check.NO_NEED_TO_PROMPT,
      ),
    );
  const consent = policy.get('consent')!;
  consent.checks.remove('native_client_prompt');
  consent.checks.add(
    new Check('native_client', 'native clients require End-User interaction', 'interaction_required', ({ oidc }) =>
      asksEachTime(oidc.client!) && oidc.result?.consent === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
    ),
    0,
  );
  return policy;
}
