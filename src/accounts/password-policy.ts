import { createRequire } from 'node:module';

/** What nobody sets it below (NIST SP 800-63B, section 3.1.1.2). */
export const PASSWORD_MIN = 8;
export const PASSWORD_MAX = 256;
const NAME_WORTH_CHECKING = 3;

export type PasswordProblem = 'short' | 'long' | 'common' | 'contains_email' | 'breached';

let common: Set<string> | undefined;

/** 49,000 leaked passwords, most common first; read on first use since most requests never need them. */
function commonPasswords(): Set<string> {
  if (!common) {
    const { dictionary } = createRequire(import.meta.url)('@zxcvbn-ts/language-common') as {
      dictionary: { 'passwords-common': string[] };
    };
    common = new Set(dictionary['passwords-common'].filter((password) => password.length >= PASSWORD_MIN));
  }
  return common;
}

/**
 * What speaks against a new password, or undefined. Length is counted in characters as a person counts them; there are no
 * composition rules (NIST SP 800-63B, section 3.1.1.2). Whether it was breached is asked elsewhere.
 * @param least characters that it must have.
 */
export function passwordProblem(password: string, email: string, least = PASSWORD_MIN): PasswordProblem | undefined {
  const length = passwordLength(password);
  if (length < least) return 'short';
  if (length > PASSWORD_MAX) return 'long';
  const lower = password.toLowerCase();
  if (commonPasswords().has(lower)) return 'common';
  const name = email.slice(0, email.lastIndexOf('@')).toLowerCase();
  if (name.length >= NAME_WORTH_CHECKING && lower.includes(name)) return 'contains_email';
  return undefined;
}

/** Length in code points; of hopelessly long text only as much as settles the question. */
export const passwordLength = (password: string): number => [...password.slice(0, 4 * PASSWORD_MAX)].length;
