import { mkdtempSync, rmSync, statSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maskedConfig } from '../../src/config/describe.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { ConfigError } from '../../src/config/error.ts';

const STRONG_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7)).toString('base64');
const STRONG_COOKIE = 'Zp3x-9aQ1bT7-kLm2nVw8-rXy4zUc6-dEf';

describe('the configuration', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-config-'));
    file = path.join(folder, 'config.yaml');
    writeFileSync(file, '');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const load = (env: Record<string, string> = {}, yaml = '') => {
    writeFileSync(file, yaml);
    return loadConfig({ NODE_ENV: 'test', GATEHOUSE_CONFIG: file, GATEHOUSE_DATA_DIR: folder, ...env });
  };
  const problems = (env: Record<string, string> = {}, yaml = ''): string[] => {
    try {
      load(env, yaml);
      return [];
    } catch (error) {
      return (error as ConfigError).problems;
    }
  };
  const production = {
    NODE_ENV: 'production',
    GATEHOUSE_ISSUER: 'https://id.example',
    GATEHOUSE_SECRETS_ENCRYPTION_KEY: STRONG_KEY,
    GATEHOUSE_SECRETS_COOKIE_KEYS: STRONG_COOKIE,
  };
  it('needs a sender where mails are sent, and shows them to nobody', () => {
    expect(
      problems({ ...production, GATEHOUSE_MAIL_SMTP_URL: 'smtp://mail.example', GATEHOUSE_MAIL_MAILBOX: 'true' }),
    ).toEqual([
      "mail.mailbox must be false: everybody could read everybody's mail",
      'mail.from is missing; set GATEHOUSE_MAIL_FROM to the address that mails come from',
    ]);
    expect(
      problems({
        ...production,
        GATEHOUSE_MAIL_SMTP_URL: 'smtps://mail.example',
        GATEHOUSE_MAIL_FROM: 'Acme <id@acme.example>',
      }),
    ).toEqual([]);
  });

  it.each([
    'http://mail.example',
    'mail.example:587',
    'smtp://',
    'smtp://u:s3cret@mail.example/?pool=true',
    'smtp:u:s3cret',
    'smtp://u:s3cret%zz@mail.example',
  ])('does not take %s for a mail server, and does not repeat its password', (url) => {
    const found = problems({ GATEHOUSE_MAIL_SMTP_URL: url });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^mail\.smtp_url: must /);
    expect(found[0]).not.toContain('s3cret');
  });

  it.each(['nobody', 'a@b.example, c@d.example', 'Ada <a@b.example>\nBcc: c@d.example', '<a@b.example'])(
    'does not take %j for a sender',
    (from) => {
      expect(problems({ GATEHOUSE_MAIL_FROM: from })).toEqual(['mail.from: must be an address, or Name <address>']);
    },
  );

  it.each(['smtp://u:s3cret@mail.example', 'smtp://u:s3%2Fp4ss@mail.example', 'smtp://u:s3@p4ss@mail.example'])(
    'shows a mail server without its password (%s)',
    (url) => {
      const shown = JSON.stringify(maskedConfig(load({ GATEHOUSE_MAIL_SMTP_URL: url })));
      expect(shown).toContain('smtp://u:***@mail.example');
      expect(shown).not.toMatch(/s3|p4ss/);
    },
  );

  const written = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };

  it('needs nothing at all', () => {
    const config = load();
    expect(config).toMatchObject({ issuer: 'http://localhost:3000', port: 3000, production: false });
    expect(config.storage.url).toBe(`sqlite:${path.join(folder, 'gatehouse.db')}`);
  });

  it('has an issuer that follows the port', () => {
    expect(load({ GATEHOUSE_PORT: '4000' }).issuer).toBe('http://localhost:4000');
  });

  it('drops the last slash of the issuer', () => {
    expect(load({ GATEHOUSE_ISSUER: 'https://id.example/' }).issuer).toBe('https://id.example');
    expect(load({ GATEHOUSE_ISSUER: 'https://id.example/auth/' }).issuer).toBe('https://id.example/auth');
  });

  it.each(['ftp://x', 'id.example', 'https://id.example/?a', 'https://id.example/#a', ''])(
    'refuses the issuer %j, or leaves it out when empty',
    (issuer) => {
      expect(problems({}, `issuer: ${JSON.stringify(issuer)}`)).toHaveLength(1);
    },
  );

  it('comes from the file, and the environment goes over it', () => {
    expect(load({}, 'port: 5000').port).toBe(5000);
    expect(load({ GATEHOUSE_PORT: '6000' }, 'port: 5000').port).toBe(6000);
  });

  it('takes lists separated by commas', () => {
    const config = load({ GATEHOUSE_SECRETS_COOKIE_KEYS: 'one, two,three' });
    expect(config.secrets.cookie_keys).toEqual(['one', 'two', 'three']);
  });

  it('takes the value of a variable from a file', () => {
    const key = written('key', `${STRONG_KEY}\n`);
    expect(load({ GATEHOUSE_SECRETS_ENCRYPTION_KEY_FILE: key }).secrets.encryption_key).toBe(STRONG_KEY);
    expect(load({ GATEHOUSE_PORT_FILE: written('port', '7000\n') }).port).toBe(7000);
  });

  it('says when a variable is set twice or its file is missing', () => {
    const key = written('key', STRONG_KEY);
    expect(
      problems({ GATEHOUSE_SECRETS_ENCRYPTION_KEY: STRONG_KEY, GATEHOUSE_SECRETS_ENCRYPTION_KEY_FILE: key }),
    ).toEqual(['GATEHOUSE_SECRETS_ENCRYPTION_KEY and GATEHOUSE_SECRETS_ENCRYPTION_KEY_FILE are both set']);
    expect(problems({ GATEHOUSE_STORAGE_URL_FILE: '/nowhere/at/all' })).toEqual([
      'GATEHOUSE_STORAGE_URL_FILE names a file that cannot be read',
    ]);
  });

  it('says when the file it names is not there or not YAML', () => {
    expect(problems({ GATEHOUSE_CONFIG: '/nowhere.yaml' })).toEqual([
      'GATEHOUSE_CONFIG names /nowhere.yaml, which does not exist',
    ]);
    expect(problems({}, 'a: [')[0]).toContain('is not valid YAML');
    expect(problems({}, '- a')[0]).toContain('must hold keys and values');
  });

  it.each([
    ['isuer: x', 'isuer is not a known key; the nearest is issuer'],
    ['storage: { uri: "sqlite:x" }', 'storage.uri is not a known key; the nearest is storage.url'],
    [
      'lifetimes: { acces_token: 1 }',
      'lifetimes.acces_token is not a known key; the nearest is lifetimes.access_token',
    ],
    ['sign_ups: { enabled: false }', 'sign_ups is not a known key; the nearest is sign_up'],
  ])('that says %s is told the nearest key', (yaml, problem) => {
    expect(problems({}, yaml)).toEqual([problem]);
  });

  it.each([
    ['port: 70000', 'port'],
    ['port: "80"', 'port'],
    ['lifetimes: { session: -1 }', 'lifetimes.session'],
    ['lifetimes: { session: 1.5 }', 'lifetimes.session'],
    ['passwords: { memory_kib: 1 }', 'passwords.memory_kib'],
    ['brand: { accent: red }', 'brand.accent'],
    ['brand: { privacy_url: "javascript:alert(1)" }', 'brand.privacy_url'],
    ['storage: { url: "postgres://x" }', 'storage.url'],
    ['log: { level: loud }', 'log.level'],
    ['demo: true', 'demo'],
  ])('that says %s is refused by name', (yaml, name) => {
    expect(problems({}, yaml)).toEqual([expect.stringMatching(new RegExp(`^${name}: `))]);
  });

  describe('in production', () => {
    it('starts when all is well', () => {
      expect(load(production)).toMatchObject({ production: true, issuer: 'https://id.example' });
    });

    it('names every problem at once', () => {
      const found = problems({
        NODE_ENV: 'production',
        GATEHOUSE_ISSUER: 'http://id.example',
        GATEHOUSE_ISUER: 'x',
        GATEHOUSE_DEMO_ENABLED: 'true',
        GATEHOUSE_STORAGE_URL: 'sqlite::memory:',
      });
      expect(found).toEqual([
        'GATEHOUSE_ISUER is not a known setting; the nearest is GATEHOUSE_ISSUER',
        'issuer must be https, not http://id.example',
        'demo.enabled must be false: everybody knows the demo password',
        'storage.url is sqlite::memory:, which forgets everything at a restart',
        'secrets.encryption_key is missing; make one with: openssl rand -base64 32',
        'secrets.cookie_keys is missing; make one with: openssl rand -base64 32',
      ]);
    });

    it('names missing secrets beside an unknown key', () => {
      const found = problems({ NODE_ENV: 'production', GATEHOUSE_ISSUER: 'http://id.example' }, 'isuer: x');
      expect(found.join()).toContain('isuer is not a known key');
      expect(found.join()).toContain('secrets.encryption_key is missing');
      expect(found.join()).toContain('issuer must be https');
    });

    it('may be on http at loopback', () => {
      expect(problems({ ...production, GATEHOUSE_ISSUER: 'http://127.0.0.1:3000' })).toEqual([]);
      expect(problems({ ...production, GATEHOUSE_ISSUER: 'http://localhost.example' })).not.toEqual([]);
    });

    it('needs an issuer', () => {
      expect(problems({ ...production, GATEHOUSE_ISSUER: '' })).toEqual([expect.stringContaining('issuer is missing')]);
    });

    it.each([
      'short',
      'a'.repeat(44),
      Buffer.alloc(32).toString('base64'),
      'change-me',
      Buffer.from('0123456789abcdef').toString('base64'),
    ])('refuses the weak encryption key %j', (key) => {
      const found = problems({ ...production, GATEHOUSE_SECRETS_ENCRYPTION_KEY: key });
      expect(found).toEqual(['secrets.encryption_key is weak; it needs 32 random bytes in base64 or hex']);
    });

    it.each(['short', 'x'.repeat(40), `${STRONG_COOKIE},short`])('refuses the weak cookie keys %j', (keys) => {
      const found = problems({ ...production, GATEHOUSE_SECRETS_COOKIE_KEYS: keys });
      expect(found).toEqual(['secrets.cookie_keys holds a weak key; each needs at least 32 random characters']);
    });

    it('takes a key in hex', () => {
      const key = Buffer.from(STRONG_KEY, 'base64').toString('hex');
      expect(problems({ ...production, GATEHOUSE_SECRETS_ENCRYPTION_KEY: key })).toEqual([]);
    });
  });

  describe('makes secrets of its own', () => {
    it('that nobody else can read, and keeps them', () => {
      const first = load();
      expect(statSync(path.join(folder, 'secrets.json')).mode & 0o777).toBe(0o600);
      expect(Buffer.from(first.secrets.encryption_key, 'base64')).toHaveLength(32);
      expect(load().secrets).toEqual(first.secrets);
    });

    it('in a folder that nobody else can enter', () => {
      const inner = path.join(folder, 'new');
      load({ GATEHOUSE_DATA_DIR: inner });
      expect(statSync(inner).mode & 0o777).toBe(0o700);
    });

    it('and says so where it cannot', () => {
      const file = written('a-file', '');
      expect(problems({ GATEHOUSE_DATA_DIR: file })).toEqual([expect.stringContaining(file)]);
    });

    it('only where they are not given', () => {
      const { secrets } = load({ GATEHOUSE_SECRETS_ENCRYPTION_KEY: STRONG_KEY });
      expect(secrets.encryption_key).toBe(STRONG_KEY);
      expect(readFileSync(path.join(folder, 'secrets.json'), 'utf8')).not.toContain(STRONG_KEY);
    });

    it.each(['', '{', '{}', '{"encryption_key":1}'])('and says so when the file with them holds %j', (text) => {
      written('secrets.json', text);
      expect(problems()).toEqual([expect.stringContaining('secrets.json')]);
    });
  });

  it('is shown with its secrets masked', () => {
    const config = load({
      GATEHOUSE_STORAGE_URL: 'mongodb://user:hunter22@db.example/gatehouse',
      GATEHOUSE_SECRETS_ENCRYPTION_KEY: STRONG_KEY,
    });
    const shown = JSON.stringify(maskedConfig(config));
    expect(shown).toContain('db.example');
    for (const secret of ['hunter22', STRONG_KEY, ...config.secrets.cookie_keys]) expect(shown).not.toContain(secret);
  });

  it('is shown with its secrets masked where the database has several hosts', () => {
    const config = load({
      GATEHOUSE_STORAGE_URL: 'mongodb://user:hunter22@a.example:1,b.example:2/gatehouse?replicaSet=r',
    });
    expect(JSON.stringify(maskedConfig(config))).not.toContain('hunter22');
  });

  describe('of keys', () => {
    it('take none whose times would let a token fail', () => {
      const found = problems({
        GATEHOUSE_KEYS_LEAD: '901',
        GATEHOUSE_KEYS_ROTATION: '900',
        GATEHOUSE_KEYS_RETIREMENT: '3600',
        GATEHOUSE_KEYS_ALGORITHMS: 'ES256',
      });
      expect(found).toEqual([
        'keys.algorithms must contain RS256, which OpenID Connect asks of every provider',
        'keys.lead must be at least keys.cache + 2 seconds: caches must know a key before it signs',
        'keys.rotation must not be shorter than keys.lead',
        'keys.retirement must be at least 3602 seconds, as long as tokens last: lifetimes.access_token and lifetimes.id_token',
      ]);
      expect(problems({ GATEHOUSE_KEYS_ALGORITHMS: 'RS256,HS256' }).join()).toContain(
        'must be ES256, RS256, PS256 or EdDSA',
      );
      expect(problems({ GATEHOUSE_KEYS_ALGORITHMS: 'RS256,RS256' }).join()).toContain('names one twice');
    });

    it('may be rotated by command alone, and be several encryption keys', () => {
      expect(load({ GATEHOUSE_KEYS_ROTATION: '0' }).keys.rotation).toBe(0);
      const two = `${STRONG_KEY},${Buffer.from(STRONG_KEY).toString('base64')}`;
      expect(load({ GATEHOUSE_SECRETS_ENCRYPTION_KEY: two }).secrets.encryption_key).toBe(two);
    });
  });
});
