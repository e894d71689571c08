/** Recovery codes: for whoever has lost all else. Sixty random bits each, so that a fast keyed hash is enough to keep them. */
import { randomInt } from 'node:crypto';

export const RECOVERY_CODES = 10;
/** From here on a person is warned. */
export const FEW_CODES = 3;

// Crockford's: no i, l, o or u, which are read as something else.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const GROUPS = 3;
const GROUP = 4;

const group = () => Array.from({ length: GROUP }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

export const newRecoveryCodes = (): string[] =>
  Array.from({ length: RECOVERY_CODES }, () => Array.from({ length: GROUPS }, group).join('-'));

/** What somebody typed as the code that it stands for; undefined where it cannot be one. */
export function readRecoveryCode(typed: string): string | undefined {
  const plain = typed.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1');
  const symbols = [...plain];
  if (symbols.length !== GROUPS * GROUP || symbols.some((symbol) => !ALPHABET.includes(symbol))) return undefined;
  return plain.match(/.{4}/g)!.join('-');
}
