/** An instance that was asleep while keys rotated, or lost the store: it signs with nothing that is not in force. */
import { decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { unavailable } from '../../src/kernel/errors.ts';
import { as } from '../support/endpoints.ts';
import { backToNow, passTime } from '../support/journey.ts';
import type { App } from '../support/journey.ts';
import { keyIds, startTwo } from '../support/keys.ts';
import type { Instance } from '../support/keys.ts';

const DAY = 86_400;
let awake: Instance;
let asleep: Instance;
let stop: () => Promise<void>;
let service: App;
let resource: string;
beforeEach(async () => {
  ({
    instances: [awake, asleep],
    stop,
  } = await startTwo());
  const api = await awake.app({ type: 'api', name: 'Notes API', scope: 'notes:read' });
  resource = api.resource!;
  service = await awake.app({ type: 'service', name: 'Nightly', scope: 'notes:read' });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await stop();
  backToNow();
});

const request = (instance: Instance) =>
  as({ ...instance, issuer: instance.origin }, service).clientCredentials({ resource });
const signedBy = async (instance: Instance) =>
  decodeProtectedHeader(String((await request(instance)).body['access_token'])).kid!;

/** It hears nothing of the store. */
function fallAsleep(instance: Instance): () => void {
  const deaf = vi.spyOn(instance.storage.keyRings, 'version').mockRejectedValue(unavailable('asleep'));
  return () => deaf.mockRestore();
}

/** One whole rotation, up to the removal of the key before. */
async function rotation(): Promise<void> {
  await awake.keys.rotation.rotate();
  passTime(2);
  await awake.liveKeys.check();
  passTime(DAY);
  await awake.liveKeys.check();
  passTime(31 * DAY);
  await awake.liveKeys.check();
}

it('whoever fetches the keys for one that another instance signs with since a moment gets it', async () => {
  for (let emergency = 0; emergency < 3; emergency += 1) {
    await keyIds(asleep.origin);
    await awake.keys.rotation.compromise({ algorithms: ['ES256'] });
    await awake.liveKeys.latest();
    expect(await keyIds(asleep.origin)).toContain(await signedBy(awake));
  }
});

it('through two rotations, it signs with the key of now from its first answer on', async () => {
  const first = await signedBy(asleep);
  const wake = fallAsleep(asleep);
  await rotation();
  await rotation();
  wake();
  const now = await signedBy(asleep);
  expect(now).toBe(await signedBy(awake));
  expect(now).not.toBe(first);
  expect(await keyIds(asleep.origin)).toEqual(await keyIds(awake.origin));
  expect(await keyIds(asleep.origin)).not.toContain(first);
});

it('in the middle of a request, it does not sign what it began to', async () => {
  const first = await signedBy(asleep);
  const wake = fallAsleep(asleep);
  await rotation();
  await rotation();
  wake();
  await expect(asleep.liveKeys.sign(first, Buffer.from('begun long ago'))).rejects.toMatchObject({
    code: 'unavailable',
  });
});

it('and never signs with a key that is only published', async () => {
  const made = await awake.keys.rotation.rotate(['ES256']);
  passTime(2);
  expect(await keyIds(asleep.origin)).toContain(made[0]!.id);
  await expect(asleep.liveKeys.sign(made[0]!.id, Buffer.from('too early'))).rejects.toMatchObject({
    code: 'unavailable',
  });
});

it('while it cannot see the store it signs nothing, publishes what it knows uncached, and goes on by itself', async () => {
  const known = await keyIds(asleep.origin);
  const wake = fallAsleep(asleep);
  passTime(2);
  expect((await request(asleep)).status).toBe(503);
  const published = await fetch(`${asleep.origin}/jwks`);
  expect(published.status).toBe(200);
  expect(published.headers.get('cache-control')).toBe('no-cache');
  wake();
  expect((await request(asleep)).status).toBe(200);
  expect(await keyIds(asleep.origin)).toEqual(known);
});

it('an emergency elsewhere is followed within a second', async () => {
  const bad = await signedBy(asleep);
  await awake.keys.rotation.compromise({});
  await expect.poll(() => keyIds(asleep.origin)).not.toContain(bad);
  expect(await signedBy(asleep)).not.toBe(bad);
});
