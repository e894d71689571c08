/** What an app would get, asked by command on a store where no server runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Preview } from '../../src/administration/token-preview.ts';
import { documentSite } from '../support/client-documents.ts';
import type { Site } from '../support/client-documents.ts';
import { runInside } from '../support/command-line.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-tokens-'));
let site: Site;
const run = (...args: string[]) =>
  runInside(args, {
    GATEHOUSE_DATA_DIR: folder,
    GATEHOUSE_STORAGE_URL: `sqlite:${path.join(folder, 'gatehouse.db')}`,
    GATEHOUSE_LOG_LEVEL: 'error',
    GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true',
    GATEHOUSE_CLIENT_DOCUMENTS_MODE: 'open',
  });
async function made(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Record<string, unknown>;
}
async function previewed(...args: string[]): Promise<Preview> {
  return (await made('token', 'preview', ...args)) as unknown as Preview;
}

beforeAll(async () => {
  site = await documentSite();
  await made('user', 'create', '--email', 'ada@example.com', '--name', 'Ada Lovelace');
  await made('role', 'create', '--name', 'editor', '--permission', 'articles:write');
  await made('user', 'assign', 'ada@example.com', '--add-role', 'editor');
  await made('client', 'create', '--type', 'api', '--name', 'Articles', '--resource', 'https://articles.example');
});
afterAll(async () => {
  await site.stop();
  rmSync(folder, { recursive: true });
});

describe('gatehouse token preview', () => {
  it('tells what is in the tokens and where it comes from, as JSON and as a table', async () => {
    const redirect = ['--redirect-uri', 'https://app.example/cb'];
    const { client_id } = await made('client', 'create', '--type', 'web', '--name', 'Writers', ...redirect);
    const args = [String(client_id), '--person', 'ada@example.com', '--scope', 'openid email', '--scope', 'roles'];
    const preview = await previewed(...args, '--api', 'https://articles.example');
    expect(preview.id_token?.claims).toMatchObject({ email: 'ada@example.com', roles: ['editor'] });
    expect(preview.access_token).toMatchObject({ format: 'jwt', resource: 'https://articles.example' });
    expect(preview.permissions).toEqual({ 'articles:write': ['role:editor'] });
    const { code, stdout } = await run('token', 'preview', ...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^id_token +email +"ada@example\.com" +scope email$/m);
    expect(stdout).toMatch(/^id_token +iss +.* the protocol$/m);
    expect(stdout).not.toMatch(/eyJ[\w-]{20}/);
  });

  it('is of a service without a person, and says what speaks against others', async () => {
    const { client_id } = await made('client', 'create', '--type', 'service', '--name', 'Sync');
    expect((await previewed(String(client_id))).sub).toBeNull();
    const nobody = await run('token', 'preview', 'nobody', '--person', 'ada@example.com');
    expect([nobody.code, nobody.stderr]).toEqual([1, 'error: no app has the id nobody\n']);
  });

  it('is of an app known by a document too, before anybody allowed it, and says why one cannot be used', async () => {
    const { client_id } = site.publish('/agent.json');
    const preview = await previewed(client_id, '--person', 'ada@example.com', '--scope', 'openid');
    expect([preview.client_id, preview.id_token?.claims['aud']]).toEqual([client_id, client_id]);
    expect(await made('client-document', 'list')).toEqual([]);
    const gone = await run('token', 'preview', `${site.origin}/gone.json`, '--person', 'ada@example.com');
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('could not be read')]);
  });
});
