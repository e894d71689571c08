import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maskedConfig } from '../../src/config/describe.ts';
import type { ConfigError } from '../../src/config/error.ts';
import { loadConfig } from '../../src/config/load.ts';

describe('the configuration of upstream providers', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-config-'));
    file = path.join(folder, 'config.yaml');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const load = (yaml: string, env: Record<string, string> = {}) => {
    writeFileSync(file, yaml);
    return loadConfig({ NODE_ENV: 'test', GATEHOUSE_CONFIG: file, GATEHOUSE_DATA_DIR: folder, ...env });
  };
  const problems = (yaml: string, env: Record<string, string> = {}): string[] => {
    try {
      load(yaml, env);
      return [];
    } catch (error) {
      return (error as ConfigError).problems;
    }
  };

  it('is empty by default', () => {
    expect(load('').federation).toEqual({});
  });

  it('needs no more of Google than what Google gives', () => {
    const { federation } = load('federation: { google: { client_id: a, client_secret: b } }');
    expect(federation['google']).toMatchObject({
      type: 'google',
      issuer: 'https://accounts.google.com',
      trust_email: true,
    });
  });

  it('keeps the order of the file, and takes what the environment has', () => {
    const yaml = `federation:
  company: { type: oidc, issuer: "https://x.example", client_id: a }
  google: { client_id: a, client_secret: from the file }`;
    writeFileSync(path.join(folder, 'secret'), 'from a file of its own\n');
    const { federation } = load(yaml, {
      GATEHOUSE_FEDERATION_GOOGLE_CLIENT_SECRET_FILE: path.join(folder, 'secret'),
      GATEHOUSE_FEDERATION_GITHUB_CLIENT_ID: 'g',
      GATEHOUSE_FEDERATION_GITHUB_CLIENT_SECRET: 's',
    });
    expect(Object.keys(federation)).toEqual(['company', 'google', 'github']);
    expect(federation['google']).toMatchObject({ client_secret: 'from a file of its own' });
  });

  it.each([
    ['google: { client_id: a }', ['federation.google.client_secret: is missing']],
    ['google: { client_id: a, client_secret: "" }', ['federation.google.client_secret: must not be empty']],
    [
      'google: { client_id: a, client_secret: b, clientid: c }',
      ['federation.google.clientid is not a known key; the nearest is federation.google.client_id'],
    ],
    ['gogle: { client_id: a }', ['federation.gogle.type: must be one of google, github, microsoft, apple, oidc']],
    [
      'company: { type: oidc, client_id: a, isuer: x }',
      [
        'federation.company.issuer: is missing',
        'federation.company.isuer is not a known key; the nearest is federation.company.issuer',
      ],
    ],
    [
      'Company: { type: oidc, client_id: a, issuer: "https://x.example" }',
      ['federation.Company: must be named in small letters, digits and hyphens, beginning with a letter'],
    ],
    [
      'company: { type: oidc, client_id: a, issuer: "http://x.example" }',
      ['federation.company.issuer: must be an https URL (http is for loopback addresses) without query or fragment'],
    ],
    [
      'apple: { client_id: a, team_id: b, key_id: c, private_key: d }',
      ['federation.apple.private_key: must be the private key in PEM form, as in the .p8 file that Apple gave you'],
    ],
  ])('says what is wrong with { %s }', (yaml, expected) => {
    expect(problems(`federation: { ${yaml} }`)).toEqual(expected);
  });

  it('names what is wrong beside other things, and refuses http in production', () => {
    const yaml = 'federation: { google: { client_id: a, client_secret: b, issuer: "http://localhost:1" } }';
    expect(problems(yaml)).toEqual([]);
    expect(problems(yaml, { NODE_ENV: 'production' })).toContain('federation.google.issuer must be https');
    expect(problems('port: 99999\nfederation: { github: { client_id: a } }')).toHaveLength(2);
  });

  it('shows no secret', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const config = load('federation: { google: { client_id: a, client_secret: s3cret } }', {
      GATEHOUSE_FEDERATION_APPLE_CLIENT_ID: 'a',
      GATEHOUSE_FEDERATION_APPLE_TEAM_ID: 't',
      GATEHOUSE_FEDERATION_APPLE_KEY_ID: 'k',
      GATEHOUSE_FEDERATION_APPLE_PRIVATE_KEY: pem,
    });
    const shown = JSON.stringify(maskedConfig(config));
    expect(shown).not.toContain('s3cret');
    expect(shown).not.toContain('PRIVATE KEY');
  });
});
