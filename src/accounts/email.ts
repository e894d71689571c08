import { domainToASCII } from 'node:url';
import isEmail from 'validator/lib/isEmail.js';

const QUOTED = /^"(.*)"$/s;
const DOT_ATOM = /^[^\s"(),:;<>@[\\\].]+(\.[^\s"(),:;<>@[\\\].]+)*$/u;

/** Whether `text` is an e-mail address (RFC 5321, with RFC 6531's internationalised ones, quoted names and address literals). */
export function isEmailAddress(text: string): boolean {
  // The validator knows address literals, but not the tag that RFC 5321 (section 4.1.3) puts before the newer ones.
  return isEmail.default(text.replace(/@\[IPv6:/i, '@['), {
    allow_ip_domain: true,
    require_tld: false,
    allow_utf8_local_part: true,
  });
}

/**
 * The form in which two spellings of one mailbox are equal: case folded, Unicode composed, the domain in its ASCII form,
 * needless quotes taken off. Dots and plus tags stay: whether they matter is the mail server's to say.
 */
export function normalizeEmail(email: string): string {
  const trimmed = email.trim().normalize('NFC');
  const at = trimmed.lastIndexOf('@');
  const local = trimmed.slice(0, at).toLowerCase();
  const domain = trimmed.slice(at + 1).toLowerCase();
  const unquoted = QUOTED.exec(local)?.[1];
  return `${unquoted !== undefined && DOT_ATOM.test(unquoted) ? unquoted : local}@${domainToASCII(domain) || domain}`;
}
