import { domainToASCII } from 'node:url';
import isEmail from 'validator/lib/isEmail.js';

const QUOTED = /^"(.*)"$/s;
const DOT_ATOM = /^[^\s"(),:;<>@[\\\].]+(\.[^\s"(),:;<>@[\\\].]+)*$/u;

// Nobody can see them, so nobody can tell two such addresses apart.
const INVISIBLE = /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Co}|\p{Cn}|\p{Default_Ignorable_Code_Point}/u;

/** Whether `text` is an e-mail address (RFC 5321, with RFC 6531's internationalised ones, quoted names and address literals). */
export function isEmailAddress(text: string): boolean {
  if (INVISIBLE.test(text)) return false;
  // The validator knows address literals, but not the tag that RFC 5321 (section 4.1.3) puts before the newer ones.
  return isEmail.default(text.replace(/@\[IPv6:/i, '@['), {
    allow_ip_domain: true,
    require_tld: false,
    allow_utf8_local_part: true,
  });
}

/**
 * The one rule for when two spellings are one mailbox: case folded, Unicode composed (NFC), the domain in its ASCII form,
 * needless quotes taken off. Dots and plus tags stay, and letters that only look alike differ: whether they matter is the mail
 * server's to say. A domain with a dot at its end is refused, not mended.
 */
export function normalizeEmail(email: string): string {
  const trimmed = email.trim().normalize('NFC');
  const at = trimmed.lastIndexOf('@');
  const local = trimmed.slice(0, at).toLowerCase();
  const domain = trimmed.slice(at + 1).toLowerCase();
  const unquoted = QUOTED.exec(local)?.[1];
  return `${unquoted !== undefined && DOT_ATOM.test(unquoted) ? unquoted : local}@${domainToASCII(domain) || domain}`;
}
