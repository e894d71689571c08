/** Whatever ends what acts in a person's name, the apps are told of it, and only those it concerns. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { connectAs, deviceApp, startDevice } from '../support/device.ts';
import { as } from '../support/endpoints.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, heading, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { signInTo, startParty, toldTimes } from '../support/log-out-receiver.ts';
import type { Party } from '../support/log-out-receiver.ts';
import { clickThrough } from '../support/relying-party.ts';
import { openAccount } from '../support/portal.ts';

describe('apps are told', () => {
  let gatehouse: Running;
  let notes: Party;
  let photos: Party;
  let person: Person;
  let laptop: Browser;
  let phone: Browser;

  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
  });
  beforeEach(async () => {
    [notes, photos] = await Promise.all([startParty(gatehouse, 'Notes'), startParty(gatehouse, 'Photos')]);
    person = await gatehouse.person();
    [laptop, phone] = [new Browser(gatehouse.issuer), new Browser(gatehouse.issuer)];
  });
  afterEach(async () => {
    backToNow();
    await Promise.all([notes.stop(), photos.stop()]);
  });
  afterAll(() => gatehouse.stop());

  const sids = (party: Party) => party.claims().map(({ sid }) => sid);
  /** Whatever is due has been sent, and nothing else comes. */
  const quiet = () =>
    eventually(async () => {
      const { items } = await gatehouse.storage.logout.list('waiting', { limit: 500 });
      expect(items.map(({ client_id }) => client_id)).toEqual([]);
    });

  it.each([
    ['suspended', (sub: string) => gatehouse.access.suspend(sub)],
    ['given another password by an admin', (sub: string) => gatehouse.access.setPassword(sub, 'correct horse battery')],
    ['deprived of all second factors', (sub: string) => gatehouse.access.resetFactors(sub)],
    ['leaving', (sub: string) => gatehouse.access.leave(sub, new Date(Date.now() + 1e9).toISOString())],
    ['erased', (sub: string) => gatehouse.access.remove(sub)],
  ])('when a person is %s, on every device', async (_what, end) => {
    const tokens = [await signInTo(notes, person, laptop), await signInTo(notes, person, phone)];
    await signInTo(photos, person, phone);
    await end(person.sub);
    await Promise.all([toldTimes(notes, 2), toldTimes(photos, 1)]);
    expect(sids(notes).toSorted()).toEqual(tokens.map((one) => one.claims()!['sid']).toSorted());
    for (const claims of notes.claims()) expect(claims.sub).toBe(person.sub);
    await quiet();
  });

  it('when a person changes their password, but for the session in which they do', async () => {
    await signInTo(notes, person, laptop);
    const there = await signInTo(notes, person, phone);
    const page = await openAccount(laptop, person, '/password');
    await laptop.submit(page, { current: person.password, password: 'correct horse battery' });
    await toldTimes(notes, 1);
    expect(sids(notes)).toEqual([there.claims()!['sid']]);
    await quiet();
  });

  it('when a device is signed out on the account page, those of that device only', async () => {
    await signInTo(notes, person, laptop);
    const there = await signInTo(photos, person, phone);
    const page = await openAccount(laptop, person, '/sessions');
    await laptop.submit(page, {}, '/end');
    await toldTimes(photos, 1);
    expect(sids(photos)).toEqual([there.claims()!['sid']]);
    expect(notes.tokens).toEqual([]);
    await quiet();
  });

  it('when all other devices are signed out on the account page', async () => {
    await signInTo(notes, person, laptop);
    await signInTo(photos, person, phone);
    const tablet = new Browser(gatehouse.issuer);
    await signInTo(photos, person, tablet);
    const page = await openAccount(laptop, person, '/sessions/others');
    await laptop.submit(page, {}, '/sessions/others');
    await toldTimes(photos, 2);
    expect(notes.tokens).toEqual([]);
    await quiet();
  });

  it('when somebody signs out of the account page, which then shows what became of them', async () => {
    await signInTo(notes, person, laptop);
    const page = await openAccount(laptop, person, '');
    const after = await laptop.submit(page, {}, '/sign-out');
    expect(heading(after)).toBe('You are signed out');
    expect(after.text).toContain('Every app that we can tell has signed you out.');
    await toldTimes(notes, 1);
  });

  it('when another person signs in in the same browser', async () => {
    await signInTo(notes, person, laptop);
    const other = await gatehouse.person();
    const { url } = await photos.rp.request({ scope: 'openid', prompt: 'login' });
    await clickThrough(laptop, url, other);
    await toldTimes(notes, 1);
    expect(notes.claims()[0]!.sub).toBe(person.sub);
    expect(photos.tokens).toEqual([]);
  });

  it('when what they were allowed is withdrawn, that one only', async () => {
    await signInTo(notes, person, laptop);
    await signInTo(photos, person, laptop);
    await gatehouse.access.withdrawConsent(person.sub, notes.app.client_id);
    await toldTimes(notes, 1);
    expect(photos.tokens).toEqual([]);
    await quiet();
  });

  it('where they signed in by a device, when the browser that allowed it signs out', async () => {
    const app = await deviceApp(gatehouse, { backchannel_logout_uri: notes.url });
    const device = await startDevice(gatehouse, app);
    await connectAs(laptop, device, person);
    const claims = (await device.poll()).claims()!;
    await laptop.submit(await laptop.open('/session/end'), { logout: 'yes' });
    await toldTimes(notes, 1);
    expect(notes.claims()[0]).toMatchObject({ aud: app.client_id, sub: person.sub, sid: claims['sid'] });
    expect(claims['sid']).toBeTypeOf('string');
  });

  it('of tokens that outlive the session at the log-out, and again when these end', async () => {
    const { refresh_token } = await signInTo(notes, person, laptop, 'openid offline_access');
    await laptop.submit(await laptop.open('/session/end'), { logout: 'yes' });
    await toldTimes(notes, 1);
    expect((await as(gatehouse, notes.app).refresh(refresh_token!)).status).toBe(200);
    await gatehouse.access.suspend(person.sub);
    await toldTimes(notes, 2);
    expect(new Set(sids(notes)).size).toBe(1);
    expect(new Set(notes.claims().map(({ jti }) => jti)).size).toBe(2);
  });

  it('a session that expired tells nobody, but a suspension after it does', async () => {
    await signInTo(notes, person, laptop);
    passTime(90_000);
    expect(heading(await laptop.open('/session/end'))).toBe('You are signed out');
    expect(notes.tokens).toEqual([]);
    await gatehouse.access.suspend(person.sub);
    await toldTimes(notes, 1);
  });

  it('nothing when a change is refused, and nothing ends then', async () => {
    await signInTo(notes, person, laptop);
    await expect(gatehouse.access.setPassword(person.sub, 'x')).rejects.toMatchObject({ code: 'invalid_input' });
    await quiet();
    passTime(60);
    await quiet();
    expect(notes.tokens).toEqual([]);
    const { url } = await notes.rp.request({ scope: 'openid', prompt: 'none' });
    expect((await laptop.open(url)).url.searchParams.has('code')).toBe(true);
  });
});
