/** Certificates of clients (RFC 8705, section 2.1): whether an authority vouches for one, and whether it names the client. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { parseAddress } from '../kernel/addresses.ts';

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';

/** @returns the certificates of a PEM file. @throws TypeError where there is none, or one that cannot be read. */
export function readCertificates(pem: string): X509Certificate[] {
  const found = pem.match(PEM) ?? [];
  if (found.length === 0) throw new TypeError('holds no certificate');
  return found.map((one) => new X509Certificate(one));
}

const isInForce = ({ validFromDate, validToDate }: X509Certificate): boolean =>
  validFromDate.getTime() <= Date.now() && Date.now() <= validToDate.getTime();

/**
 * @param authorities whom the operator trusts; one between them and a client's certificate is one of them.
 * @returns whether a certificate is in force, is for clients, and was issued by one of them. Whether it was revoked is not asked.
 */
export function createVouching(authorities: X509Certificate[]): (certificate: X509Certificate) => boolean {
  const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate) =>
    issuer.ca && isInForce(issuer) && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  return (certificate) => {
    // Node gives the extended purposes under this name.
    const purposes = certificate.keyUsage as string[] | undefined;
    if (purposes !== undefined && !purposes.includes(CLIENT_AUTHENTICATION)) return false;
    return isInForce(certificate) && authorities.some((issuer) => isIssuedBy(certificate, issuer));
  };
}

const unescape = (text: string) =>
  text.replace(/\\([\da-f]{2}|.)/gi, (_, what: string) => (what.length === 2 ? `%${what}` : encodeURIComponent(what)));

function decoded(text: string): string {
  // What is not escaped must survive the decoding.
  const guarded = unescape(text.replaceAll('%', '\\%'));
  try {
    return decodeURIComponent(guarded);
  } catch {
    return text;
  }
}

/** Types and values in their order; `separator` stands between them where it is not escaped. */
function names(dn: string, separator: RegExp): string {
  const parts = dn.split(separator).map((part) => {
    const [, type = '', value = ''] = /^\s*([^=]+?)\s*=\s*([^]*?)\s*$/.exec(part) ?? [];
    return [type.toUpperCase(), decoded(value)];
  });
  return JSON.stringify(parts);
}

/** Whether a subject is the one that was registered as RFC 4514 writes it, the most particular name first. */
function subjectIs(certificate: X509Certificate, expected: string): boolean {
  const registered = names(expected, /(?<!\\)[,+]/);
  const own = certificate.subject.split('\n').reverse().join('\n');
  return registered === names(own, /\n|(?<!\\)\+/);
}

const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

/** Alternative names of one kind. Node quotes what could be mistaken for two (CVE-2021-44532). */
function alternatives({ subjectAltName = '' }: X509Certificate, kind: string): string[] {
  const found = [...subjectAltName.matchAll(ENTRY)].filter(([, name]) => name === kind);
  return found.map(([, , value]) => (value!.startsWith('"') ? (JSON.parse(value!) as string) : value!));
}

const sameAddress = (a: string, b: string) =>
  isIP(a) !== 0 && parseAddress(a)?.toString() === parseAddress(b)?.toString();

/** @param property metadata by which the client is registered, such as `tls_client_auth_san_dns`. */
export function certificateIs(certificate: X509Certificate, property: string, expected: string): boolean {
  switch (property) {
    case 'tls_client_auth_subject_dn':
      return subjectIs(certificate, expected);
    case 'tls_client_auth_san_dns':
      return alternatives(certificate, 'DNS').includes(expected);
    case 'tls_client_auth_san_uri':
      return alternatives(certificate, 'URI').includes(expected);
    case 'tls_client_auth_san_email':
      return alternatives(certificate, 'email').includes(expected);
    case 'tls_client_auth_san_ip':
      return alternatives(certificate, 'IP Address').some((address) => sameAddress(address, expected));
    default:
      return false;
  }
}
