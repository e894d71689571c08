/** Guessing the secret of an app, at every endpoint that takes one, in every form it can be sent. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../storage/support/test-database.ts';
import { answer, basic } from '../support/endpoints.ts';
import type { Answer, Fields } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, backToNow, passTime } from '../support/journey.ts';
import type { App } from '../support/journey.ts';

/** The default of the configuration. */
const MOST = 20;
const ENDPOINTS = ['/token', '/token/introspection', '/token/revocation'];
const BODY = { grant_type: 'client_credentials', token: 'anything' };

function tally(answers: Answer[]) {
  const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
  return { looked_at: count(401), refused: count(429) };
}

describe('whoever guesses the secret of an app', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_TRUSTED_PROXIES: 'loopback' });
  });
  // Time stands still, so that a busy machine is not outside of a window or a lock-out.
  beforeEach(() => passTime(0));
  afterEach(backToNow);
  afterAll(() => gatehouse.stop());

  const service = () => gatehouse.app({ type: 'service' });
  const send = async (path: string, fields: Fields, headers: Fields) =>
    answer(
      await fetch(gatehouse.issuer + path, {
        method: 'POST',
        body: new URLSearchParams({ ...BODY, ...fields }),
        headers: { 'x-forwarded-for': '203.0.113.9', ...headers },
      }),
    );
  const guess = ({ client_id }: App, path = '/token', headers: Fields = {}, secret = 'wrong') =>
    send(path, {}, { ...basic(client_id, secret), ...headers });
  const right = ({ client_id, client_secret }: App, headers: Fields = {}) =>
    send('/token', {}, { ...basic(client_id, client_secret!), ...headers });

  it.each(ENDPOINTS)('has twenty tries at %s in a row, and the right one comes too late', async (path) => {
    const app = await service();
    const answers: Answer[] = [];
    for (let index = 0; index < MOST + 5; index += 1) answers.push(await guess(app, path));
    expect(tally(answers)).toEqual({ looked_at: MOST, refused: 5 });
    const late = await guess(app, path, {}, app.client_secret);
    expect(late.status).toBe(429);
    expect(late.body).toMatchObject({ error: 'temporarily_unavailable' });
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(late.headers.get('www-authenticate')).toBeNull();
  });

  it.each(ENDPOINTS)('has no more at %s at the same instant, with the right one among them', async (path) => {
    const app = await service();
    const answers = await atOnce(100, (index) => guess(app, path, {}, index === 99 ? app.client_secret : 'wrong'));
    expect(tally(answers)).toEqual({ looked_at: MOST, refused: 80 });
  });

  it('has them once for all endpoints and all forms of sending it', async () => {
    const app = await service();
    const forms: ((index: number) => Promise<Answer>)[] = [
      () => guess(app, '/token'),
      () => guess(app, '/token/introspection'),
      () => guess(app, '/token/revocation'),
      () => send('/token', { client_id: app.client_id, client_secret: 'wrong' }, {}),
      () => send('/token/introspection', { client_id: app.client_id, client_secret: 'wrong' }, {}),
      () => guess(app, '/token', { accept: 'application/json' }),
      () => guess(app, '/token', { accept: 'text/html' }),
      () => guess(app, '/token', { authorization: `bASIC ${btoa(`${app.client_id}:wrong`)}` }),
      (index) => guess(app, '/token', { 'x-forwarded-for': `198.51.100.${index}, 203.0.113.9` }),
      (index) => guess(app, '/token', { forwarded: `for=198.51.100.${index}`, 'x-real-ip': `198.51.100.${index}` }),
    ];
    const answers: Answer[] = [];
    for (let index = 0; index < 30; index += 1) answers.push(await forms[index % forms.length]!(index));
    expect(tally(answers)).toEqual({ looked_at: MOST, refused: 10 });
  });

  it('stops neither the app where it runs, nor other apps', async () => {
    const [app, other] = [await service(), await service()];
    await atOnce(50, () => guess(app));
    expect((await right(app)).status).toBe(429);
    expect((await right(app, { 'x-forwarded-for': '192.0.2.77' })).status).toBe(200);
    expect((await right(other)).status).toBe(200);
  });

  it('is refused by every process on the store, a second later at most', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-two-'));
    const database = process.env['FLOWS_ON'] === 'mongodb' ? testDatabase() : undefined;
    const env = {
      GATEHOUSE_STORAGE_URL: database?.url ?? `sqlite:${path.join(folder, 'gatehouse.db')}`,
      GATEHOUSE_DATA_DIR: folder,
    };
    const [here, there] = [await startGatehouse(env), await startGatehouse(env)];
    const app = await here.app({ type: 'service' });
    const at = async ({ issuer }: Running, secret: string) =>
      answer(
        await fetch(`${issuer}/token`, {
          method: 'POST',
          body: new URLSearchParams(BODY),
          headers: basic(app.client_id, secret),
        }),
      );
    expect((await at(there, app.client_secret!)).status).toBe(200);
    await atOnce(30, () => at(here, 'wrong'));
    passTime(1);
    expect((await at(there, app.client_secret!)).status).toBe(429);
    expect((await at(there, 'wrong')).status).toBe(429);
    await here.stop();
    await there.stop();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('stops nobody for good: after the lock-out a right secret works, also when wrong ones follow', async () => {
    const app = await service();
    await atOnce(50, () => guess(app));
    passTime(62);
    expect((await right(app)).status).toBe(200);
    expect((await guess(app)).status).toBe(401);
    expect((await right(app)).status).toBe(200);
  });
});
