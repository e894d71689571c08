/** Certificates as authorities and clients make them. */
import { webcrypto } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY = 86_400_000;

export interface Made {
  certificate: x509.X509Certificate;
  pem: string;
  keys: webcrypto.CryptoKeyPair;
  keyPem: string;
  /** As it is registered for `self_signed_tls_client_auth`. */
  jwk: Record<string, unknown>;
}

interface Wishes {
  subject?: string;
  issuer?: Made | undefined;
  authority?: boolean;
  /** Alternative names. */
  names?: x509.JsonGeneralName[];
  /** In days from now. */
  from?: number;
  to?: number;
  purposes?: x509.ExtendedKeyUsageType[];
}

/** Signs itself unless it has an issuer. */
export async function makeCertificate({
  subject = 'CN=client.example',
  issuer,
  authority = false,
  names = [],
  from = -1,
  to = 1,
  purposes = authority ? [] : [x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth],
}: Wishes = {}): Promise<Made> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)))
      .toString('hex')
      .replace(/^./, '1'),
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: new Date(Date.now() + from * DAY),
    notAfter: new Date(Date.now() + to * DAY),
    publicKey: keys.publicKey as never,
    signingKey: (issuer?.keys ?? keys).privateKey as never,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(authority, undefined, true),
      ...(purposes.length > 0 ? [new x509.ExtendedKeyUsageExtension(purposes)] : []),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const jwk = (await webcrypto.subtle.exportKey('jwk', keys.publicKey)) as Record<string, unknown>;
  return {
    certificate,
    pem: certificate.toString('pem'),
    keys,
    keyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    jwk: { kty: jwk['kty'], crv: jwk['crv'], x: jwk['x'], y: jwk['y'], x5c: [certificate.toString('base64')] },
  };
}

/** The header by which a proxy passes it on (RFC 9440). */
export const clientCert = ({ certificate }: Made): string => `:${certificate.toString('base64').replace(/\s/g, '')}:`;

/** @returns the path of a file with this text. */
export function asFile(text: string): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'gatehouse-pem-')), 'file.pem');
  writeFileSync(file, text);
  return file;
}
