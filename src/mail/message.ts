/** A mail to one person, before it has words: the template and what is to be filled in. */
export interface Message {
  to: string;
  /** A name in `TEMPLATES`. */
  template: string;
  /** The reader's language (BCP 47), such as `en`; or several with spaces between, the best one first. */
  locale: string;
  data: Record<string, unknown>;
}

/**
 * The mails there are, by the name of their file in `views/mail/`, each with the data it cannot do without. All data are texts
 * or whole numbers, and are cleaned before a template sees them:
 *
 * - `name`: the person's name, if they have one; left out of the greeting where it could pass for a link
 * - `url`: the link, an address of ours; `minutes`, `hours` or `days`: how long it is good for
 * - `code`: a code to type where there is one as well; `code_minutes`: how long that is good for
 * - `app`: the app the person came from; `provider`: an upstream provider's name
 * - `address`: an e-mail address, such as the new one; `device`: browser and system; `time`: when, in seconds since the epoch
 * - `zone`: the reader's time zone, such as `Europe/Paris`
 */
export const TEMPLATES: Record<string, readonly string[]> = {
  /** Proves that the address is the person's. Also: code, minutes or hours, app. */
  'verify-email': ['url'],
  /** An admin asks somebody to have an account. Also: days or hours. */
  invitation: ['url'],
  /** Also: minutes or hours. */
  'reset-password': ['url'],
  /** Also: code, minutes or hours, app. */
  'sign-in-link': ['url'],
  /** A code as the second factor. Also: minutes. */
  'second-factor': ['code', 'app'],
  /** Somebody tried to sign up with an address that has an account. `url` leads to the sign-in or the reset. */
  'sign-up-existing': ['url'],
  /** Somebody asked for a link to sign in or to reset, but there is no account. `url` leads to the sign-up, if that is open. */
  'no-account': [],
  /** To the new address. Also: code, minutes or hours. */
  'change-email-confirm': ['url', 'address'],
  /** To the old address; `url` undoes it. Also: hours. */
  'change-email-notice': ['url', 'address'],
  /** `url` leads to the reset. Also: time, device. */
  'password-changed': [],
  /** `url` leads to the reset. Also: device, time, app. */
  'new-device': [],
  /** Something changed about how the person signs in. `url` leads to their account page. Also: device, time. */
  'passkey-added': [],
  'passkey-removed': [],
  'totp-added': [],
  'totp-removed': [],
  'recovery-codes-renewed': [],
  /** `left`: how many there still are. */
  'recovery-code-used': ['left'],
  'device-forgotten': [],
  'devices-forgotten': [],
  'factors-reset': [],
  /** A used refresh token of `app` was sent again, so its access was ended. `url` leads to the account page. Also: time. */
  'token-reused': ['app'],
  /** Proves this account so that an account at `provider` can be joined to it. Also: code, minutes or hours. */
  'link-account': ['url', 'provider'],
  /** The person asked to delete the account, which is done at `time`; `url` is where they can keep it. */
  'account-deletion': ['url', 'time'],
  /** An app asks the person, who answers at `url`. Also: minutes. */
  approval: ['url', 'app'],
  /** Sent by hand to try things out. */
  test: [],
};
