/** What of an app is worth a second look is told by every door by which it comes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../support/admin-api.ts';
import type { Api } from '../../support/admin-api.ts';
import { runInside } from '../../support/command-line.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';

let gatehouse: Running;
let api: Api;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  await gatehouse.app({ name: 'Travel Desk', redirect_uris: ['https://travel.bigcorp.example/cb'] });
  api = await program(gatehouse);
});
afterAll(() => gatehouse.stop());

const NEAR = {
  code: 'name_near',
  field: 'client_name',
  value: 'Travei Desk',
  other: 'Travel Desk',
  message: 'Travei Desk is easily taken for the app Travel Desk.',
};
const app = (client_name: string, uri = 'https://other.example/cb') => ({
  type: 'web',
  client_name,
  redirect_uris: [uri],
});

describe('by the admin API', () => {
  it('stands in the answer of registering, changing and checking, and nothing is refused for it', async () => {
    const checked = await api.post('/clients/check', app('Travei Desk'));
    expect([checked.status, checked.body]).toEqual([200, { warnings: [NEAR] }]);
    expect(await gatehouse.clients.search({ text: 'travei', limit: 1 })).toMatchObject({ items: [] });

    const made = await api.post('/clients', app('Travei Desk'));
    expect([made.status, made.body['warnings']]).toEqual([201, [NEAR]]);
    const { client_id } = made.body as { client_id: string };
    const change = { client_name: 'Parcels', redirect_uris: ['https://x.github.io/cb'] };
    const shared = expect.objectContaining({
      code: 'host_shared',
      field: 'redirect_uris',
      other: 'github.io',
    }) as object;
    expect((await api.post(`/clients/${client_id}/check`, change)).body).toEqual({ warnings: [shared] });
    const changed = await api.patch(`/clients/${client_id}`, change);
    expect([changed.status, changed.body['warnings']]).toEqual([200, [shared]]);
    // What was registered a moment ago is already compared with.
    expect((await api.post('/clients/check', app('Parceis'))).body['warnings']).toMatchObject([{ other: 'Parcels' }]);
    expect((await api.post('/clients/check', app('Nothing like it'))).body).toEqual({ warnings: [] });
    expect((await api.post('/apis/check', { client_name: 'Travei Desk' })).body).toEqual({ warnings: [NEAR] });
  });

  it('checks by the rules of registering', async () => {
    const wrong = await api.post('/clients/check', app('Wrong', 'http://plain.example/cb'));
    expect([wrong.status, wrong.body['errors']]).toMatchObject([400, [{ pointer: '#/redirect_uris' }]]);
    expect((await api.post('/clients/nobody/check', {})).status).toBe(404);
  });

  it('names no other app to whoever may not see apps', async () => {
    const blind = await program(gatehouse, ['clients:write']);
    const { body } = await blind.post('/clients/check', app('Travei Desk', 'https://x.github.io/cb'));
    expect((body['warnings'] as { code: string }[]).map(({ code }) => code)).toEqual(['host_shared']);
  });
});

describe('by the command line', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-warnings-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is said beside the result, which stays what programs read', async () => {
    const args = ['--type', 'web', '--redirect-uri', 'https://other.example/cb', '--json'];
    const env = { GATEHOUSE_DATA_DIR: folder, GATEHOUSE_STORAGE_URL: `sqlite:${path.join(folder, 'gatehouse.db')}` };
    const first = await runInside(['client', 'create', '--name', 'Travel Desk', ...args], env);
    expect([first.code, first.stderr]).toEqual([0, '']);
    const made = await runInside(['client', 'create', '--name', 'Travei Desk', ...args], env);
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining(`warning: ${NEAR.message}\n`)]);
    const { client_id } = JSON.parse(made.stdout) as { client_id: string };
    const quiet = await runInside(['client', 'update', client_id, '--name', 'Quite different', '--json'], env);
    expect([quiet.code, quiet.stderr]).toEqual([0, '']);
    const odd = await runInside(['client', 'update', client_id, '--name', 'Travеl\u202e Desk'], env);
    expect(odd.stderr).toContain('warning: ');
    expect(odd.stderr).not.toContain('\u202e');
  });
});
