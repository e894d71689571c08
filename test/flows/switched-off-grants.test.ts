/** Grants that were switched off in the configuration while apps are registered with them. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CIBA } from '../../src/clients/protocol.ts';
import { CIBA_ON } from '../support/ciba.ts';
import { DEVICE_GRANT } from '../support/device.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import type { App } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import { temporaryFile } from '../storage/support/temporary-file.ts';

describe('an app with a grant that was switched off', () => {
  const { file, remove } = temporaryFile();
  const env = {
    GATEHOUSE_STORAGE_URL: `sqlite:${file}`,
    GATEHOUSE_SECRETS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_SECRETS_COOKIE_KEYS: randomBytes(24).toString('base64'),
  };
  let gatehouse: Running;
  let app: App;
  let only: App;
  beforeAll(async () => {
    const before = await startGatehouse({ ...env, ...CIBA_ON });
    app = await before.app({
      name: 'Living Room',
      protocol: {
        grant_types: ['authorization_code', 'refresh_token', CIBA, DEVICE_GRANT],
        backchannel_token_delivery_mode: 'ping',
        backchannel_client_notification_endpoint: 'https://app.example/ping',
      },
    });
    only = await before.app({ name: 'Television', redirect_uris: [], protocol: { grant_types: [DEVICE_GRANT] } });
    await before.stop();
    gatehouse = await startGatehouse({
      ...env,
      GATEHOUSE_CIBA_ENABLED: 'false',
      GATEHOUSE_DEVICE_FLOW_ENABLED: 'false',
    });
  });
  afterAll(async () => {
    await gatehouse.stop();
    remove();
  });

  it('goes on with its other grants', async () => {
    const rp = await relyingParty(gatehouse, app);
    const tokens = await rp.signIn(await gatehouse.person(), { scope: 'openid offline_access' });
    expect((await as(gatehouse, app).refresh(tokens.refresh_token!)).status).toBe(200);
  });

  it.each([
    [CIBA, 'auth_req_id'],
    [DEVICE_GRANT, 'device_code'],
  ])('is told that %s is not there, and nothing else', async (grant_type, name) => {
    for (const one of [app, only]) {
      const { status, body } = await as(gatehouse, one).token({ grant_type, [name]: 'x' });
      expect([status, body['error']]).toEqual([400, 'unsupported_grant_type']);
    }
    expect(
      JSON.stringify(await (await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`)).json()),
    ).not.toContain(grant_type);
  });

  it('can be changed, and keeps the grant for the day that it is back', async () => {
    const renamed = await gatehouse.clients.update(app.client_id, { name: 'Kitchen' });
    expect(renamed.protocol?.grant_types).toContain(CIBA);
    await expect(gatehouse.app({ protocol: { grant_types: [CIBA] } })).rejects.toMatchObject({ field: 'grant_types' });
    await expect(gatehouse.clients.update(only.client_id, { protocol: { grant_types: [CIBA] } })).rejects.toMatchObject(
      {
        field: 'grant_types',
      },
    );
  });
});
