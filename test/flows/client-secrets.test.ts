/** Secrets of clients: two at a time, each with an end, so that an app changes to the next one without an outage. */
import { SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, backToNow, passTime } from '../support/journey.ts';
import type { App } from '../support/journey.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

let gatehouse: Running;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

/** Longer than a client is held in memory. */
const settle = () => passTime(2);
const works = async (app: App, client_secret: string | undefined) =>
  (await as(gatehouse, { ...app, client_secret: client_secret! }).clientCredentials()).status === 200;

async function assertionWorks({ client_id }: App, secret: string): Promise<boolean> {
  const assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(client_id)
    .setSubject(client_id)
    .setAudience(gatehouse.issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(Buffer.from(secret));
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  });
  return (await fetch(`${gatehouse.issuer}/token`, { method: 'POST', body })).status === 200;
}

describe('a secret that is replaced', () => {
  it('goes on for a day beside the new one, and not a moment longer', async () => {
    const app = await gatehouse.app({ type: 'service' });
    const { client_secret } = await gatehouse.clients.rotateSecret(app.client_id);
    settle();
    expect([await works(app, app.client_secret), await works(app, client_secret)]).toEqual([true, true]);
    passTime(DAY);
    expect([await works(app, app.client_secret), await works(app, client_secret)]).toEqual([false, true]);
  });

  it('goes on for as long as was said, or ends at once', async () => {
    const app = await gatehouse.app({ type: 'service' });
    const second = await gatehouse.clients.rotateSecret(app.client_id, { overlap: HOUR });
    passTime(HOUR - 5);
    expect(await works(app, app.client_secret)).toBe(true);
    passTime(6);
    expect(await works(app, app.client_secret)).toBe(false);
    const third = await gatehouse.clients.rotateSecret(app.client_id, { overlap: 0 });
    settle();
    expect([await works(app, second.client_secret), await works(app, third.client_secret)]).toEqual([false, true]);
  });

  it('twice leaves two: the one before the last is gone', async () => {
    const app = await gatehouse.app({ type: 'service' });
    const second = await gatehouse.clients.rotateSecret(app.client_id);
    const third = await gatehouse.clients.rotateSecret(app.client_id);
    settle();
    const all = [app.client_secret, second.client_secret, third.client_secret];
    expect(await Promise.all(all.map((one) => works(app, one)))).toEqual([false, true, true]);
  });

  it('goes on where the client signs with it', async () => {
    const app = await gatehouse.app({ type: 'service', protocol: { token_endpoint_auth_method: 'client_secret_jwt' } });
    const { client_secret } = await gatehouse.clients.rotateSecret(app.client_id, { overlap: HOUR });
    settle();
    expect([await assertionWorks(app, app.client_secret!), await assertionWorks(app, client_secret!)]).toEqual([
      true,
      true,
    ]);
    passTime(HOUR);
    expect([await assertionWorks(app, app.client_secret!), await assertionWorks(app, client_secret!)]).toEqual([
      false,
      true,
    ]);
    const kept = JSON.stringify(await gatehouse.clients.get(app.client_id));
    for (const secret of [app.client_secret!, client_secret!]) expect(kept).not.toContain(secret);
  });

  it('of a record that an older version wrote goes on too', async () => {
    const app = await gatehouse.app({ type: 'service' });
    const { secret_facts, earlier_secret, ...older } = (await gatehouse.storage.clients.find(app.client_id))!;
    expect([secret_facts, earlier_secret]).toEqual([expect.anything(), null]);
    await gatehouse.storage.clients.update(older);
    settle();
    expect(await works(app, app.client_secret)).toBe(true);
    const { client_secret } = await gatehouse.clients.rotateSecret(app.client_id);
    settle();
    expect([await works(app, app.client_secret), await works(app, client_secret)]).toEqual([true, true]);
  });
});

describe('a secret beside another', () => {
  it('works as that does, until it ends; a third is refused until one is revoked', async () => {
    const app = await gatehouse.app({ type: 'service' });
    const { client, client_secret } = await gatehouse.clients.addSecret(app.client_id, { expires_in: HOUR });
    settle();
    expect([await works(app, app.client_secret), await works(app, client_secret)]).toEqual([true, true]);
    await expect(gatehouse.clients.addSecret(app.client_id)).rejects.toMatchObject({ code: 'conflict' });
    passTime(HOUR);
    expect([await works(app, app.client_secret), await works(app, client_secret)]).toEqual([true, false]);
    const again = await gatehouse.clients.addSecret(app.client_id);
    await gatehouse.clients.revokeSecret(app.client_id, again.client.secret_facts!.id);
    settle();
    expect([await works(app, app.client_secret), await works(app, again.client_secret)]).toEqual([true, false]);
    expect(client.secret_facts!.id).not.toBe(again.client.secret_facts!.id);
  });

  it('added by twenty admins at once is added once', async () => {
    const app = await gatehouse.app({ type: 'service' });
    const made = await atOnce(20, () => gatehouse.clients.addSecret(app.client_id).catch(() => undefined));
    expect(made.filter((one) => one !== undefined)).toHaveLength(1);
  });

  it.each([59, 5 * 367 * DAY, 1.5, NaN])('cannot be good for %s seconds', async (expires_in) => {
    const app = await gatehouse.app({ type: 'service' });
    await expect(gatehouse.clients.addSecret(app.client_id, { expires_in })).rejects.toMatchObject({
      code: 'invalid_input',
      field: 'expires_in',
    });
  });
});

it('a client without any secret in force is told that it did not prove itself, and nothing else', async () => {
  for (const method of ['client_secret_basic', 'client_secret_jwt'] as const) {
    const app = await gatehouse.app({ type: 'service', protocol: { token_endpoint_auth_method: method } });
    const { secret_facts } = await gatehouse.clients.get(app.client_id);
    await gatehouse.clients.revokeSecret(app.client_id, secret_facts!.id);
    settle();
    const { status, body } = await as(gatehouse, app).clientCredentials();
    expect([method, status, body['error']]).toEqual([method, 401, 'invalid_client']);
    expect(await assertionWorks(app, app.client_secret!)).toBe(false);
  }
});
