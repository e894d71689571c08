/** The house: which room may import which. `docs/architecture.md` draws it; change both together. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = path.resolve(import.meta.dirname, '../src');

const DOMAIN = [
  'accounts',
  'audit',
  'clients',
  'consents',
  'factors',
  'federation',
  'keys',
  'limits',
  'logout',
  'mail',
  'protocol',
  'roles',
];
const WEB = [
  'admin',
  'console',
  'interaction',
  'landing',
  'mailbox',
  'operations',
  'playground',
  'portal',
  'registration',
];
const MAY_IMPORT: Record<string, string[]> = {
  kernel: [],
  config: ['kernel'],
  ...Object.fromEntries(DOMAIN.map((room) => [room, ['kernel']])),
  verification: ['kernel', 'accounts', 'mail', 'protocol'],
  storage: ['kernel', ...DOMAIN],
  http: ['kernel', 'config'],
  oidc: ['kernel', 'config', ...DOMAIN],
  administration: ['kernel', 'oidc', 'verification', ...DOMAIN],
  ...Object.fromEntries(WEB.map((room) => [room, ['kernel', 'config', 'http', 'oidc', 'verification', ...DOMAIN]])),
  visits: ['kernel', 'config', 'http', 'oidc', ...DOMAIN],
  portal: ['kernel', 'config', 'http', 'oidc', 'verification', 'visits', ...DOMAIN],
  admin: ['kernel', 'config', 'http', 'oidc', 'administration', ...DOMAIN],
  files: ['kernel', 'admin', 'administration', ...DOMAIN],
  console: ['kernel', 'config', 'http', 'oidc', 'administration', 'visits', ...DOMAIN],
};
/** Libraries that only one room may know. */
const ONLY_IN: Record<string, RegExp> = {
  'oidc-provider': /^(oidc|interaction)\/|^app\.ts$/,
  koa: /^(http|admin|console|interaction|landing|mailbox|operations|playground|portal|registration|visits)\/|^app\.ts$/,
  mongoose: /^storage\/mongo\//,
  'node:sqlite': /^storage\/sqlite\//,
  argon2: /^accounts\//,
  bcrypt: /^accounts\//,
  'csv-parse': /^accounts\//,
  ejs: /^http\//,
  '@fastify/busboy': /^http\//,
  bowser: /^http\//,
  '@simplewebauthn/server': /^factors\//,
  nodemailer: /^mail\//,
  otplib: /^factors\//,
  uqr: /^factors\//,
  commander: /^cli\//,
};

interface Import {
  from: string;
  to: string;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(path.join(SRC, file), 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, target]) => ({
    from: file,
    to: target!.startsWith('.') ? path.relative(SRC, path.resolve(SRC, path.dirname(file), target!)) : target!,
  }));
});
const roomOf = (file: string) => (file.includes('/') ? file.split('/')[0]! : '');
const isOurs = ({ to }: Import) => to.endsWith('.ts');

describe('the house', () => {
  it('has the rooms that this test knows, and no others', () => {
    const rooms = new Set(files.map(roomOf));
    expect([...rooms].filter((room) => room !== '' && room !== 'cli' && !(room in MAY_IMPORT))).toEqual([]);
  });

  it.each(Object.entries(MAY_IMPORT))('%s imports only what it may', (room, allowed) => {
    const wrong = imports.filter(
      (one) => isOurs(one) && roomOf(one.from) === room && roomOf(one.to) !== room && !allowed.includes(roomOf(one.to)),
    );
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(ONLY_IN))('%s is known to few', (library, where) => {
    const users = imports.filter(
      ({ from, to }) => (to === library || to.startsWith(`${library}/`)) && !where.test(from),
    );
    expect(users).toEqual([]);
  });

  it('has one place that reads who a proxy says is calling', () => {
    const readers = files.filter((file) =>
      /'x-forwarded-for'|'x-real-ip'|'forwarded'|\bctx\.ips?\b|request\.ips?\b|remoteAddress|app\.proxy/i.test(
        readFileSync(path.join(SRC, file), 'utf8').replace(/^\s*(\/?\*|\/\/).*$/gm, ''),
      ),
    );
    expect(readers).toEqual(['http/client-address.ts']);
  });

  it('has one place that makes a provider', () => {
    const makers = files.filter((file) => /\bnew Provider\(/.test(readFileSync(path.join(SRC, file), 'utf8')));
    expect(makers).toEqual(['oidc/provider.ts']);
  });
});
