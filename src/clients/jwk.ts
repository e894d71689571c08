/** Public keys of clients (RFC 7517): what is refused before it is kept. */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const CURVES: Record<string, string[]> = { EC: ['P-256', 'P-384', 'P-521'], OKP: ['Ed25519', 'X25519'] };
const LEAST_RSA_BYTES = 256;
const MOST_RSA_BYTES = 1024;
const MOST_CHARACTERS = 20_000;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** @returns what speaks against a key, or undefined. */
export function jwkProblem(key: Record<string, unknown>): string | undefined {
  if (PRIVATE.some((name) => name in key)) return 'is a private or shared key: give us the public one';
  if (JSON.stringify(key).length > MOST_CHARACTERS) return 'is too large';
  if (['kid', 'alg', 'use'].some((name) => name in key && !isText(key[name])))
    return 'has a kid, alg or use that is no text';
  const { kty, crv, n, e, x } = key;
  if (kty === 'RSA') {
    if (!isText(n) || !isText(e)) return 'lacks n or e';
    const bytes = Buffer.from(n, 'base64url').length;
    if (bytes < LEAST_RSA_BYTES) return 'is an RSA key of less than 2048 bits';
    return bytes > MOST_RSA_BYTES ? 'is an RSA key of more than 8192 bits' : undefined;
  }
  const curves = CURVES[String(kty)];
  if (!curves) return 'is neither RSA, EC nor OKP';
  if (!curves.includes(String(crv))) return `must be on one of ${curves.join(', ')}`;
  return isText(x) && (kty === 'OKP' || isText(key['y'])) ? undefined : 'lacks a coordinate';
}
