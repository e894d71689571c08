import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { DEVICE_GRANT, connectAs, deviceApp, startDevice } from '../support/device.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, backToNow, fieldValue, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';

describe('device codes (RFC 8628, section 5)', () => {
  let gatehouse: Running;
  let app: App;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    app = await deviceApp(gatehouse);
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());

  it('cannot be guessed: wrong ones are counted, and then even the right one must wait (section 5.1)', async () => {
    const own = await startGatehouse({ GATEHOUSE_LIMITS_CODE_ADDRESS: '10' });
    const device = await startDevice(own, await deviceApp(own));
    const at = new Browser(own.issuer);
    let page = await at.open('/device');
    for (let index = 0; index < 10; index += 1)
      page = await at.submit(page, { user_code: `BCDF-GHJ${'KLMNPQRSTV'[index]}` });
    page = await at.submit(page, { user_code: device.code.user_code });
    expect([page.status, page.headers.get('retry-after')]).toEqual([429, expect.any(String)]);
    expect(alertText(page)).toContain('Too many tries');
    await own.stop();
  });

  it('that are right cost nothing', async () => {
    const own = await startGatehouse({ GATEHOUSE_LIMITS_CODE_ADDRESS: '3' });
    const ours = await deviceApp(own);
    for (let index = 0; index < 6; index += 1) {
      const device = await startDevice(own, ours);
      const at = new Browser(own.issuer);
      expect((await at.submit(await at.open('/device'), { user_code: device.code.user_code })).status).toBe(200);
    }
    await own.stop();
  });

  it('are told apart neither by words nor status: unknown, used, cancelled', async () => {
    const used = await startDevice(gatehouse, app);
    await connectAs(new Browser(gatehouse.issuer), used, person);
    const cancelled = await startDevice(gatehouse, app);
    const at = new Browser(gatehouse.issuer);
    await at.submit(await at.submit(await at.open('/device'), { user_code: cancelled.code.user_code }), {
      abort: 'yes',
    });
    const texts = [];
    for (const user_code of [used.code.user_code, cancelled.code.user_code, 'BBBB-BBBB']) {
      const page = await at.submit(await at.open('/device'), { user_code });
      texts.push([page.status, alertText(page)]);
    }
    expect(new Set(texts.map((text) => JSON.stringify(text))).size).toBe(1);
  });

  it('of one client are nothing to another (section 3.4)', async () => {
    const device = await startDevice(gatehouse, app);
    await connectAs(new Browser(gatehouse.issuer), device, person);
    const thief = await deviceApp(gatehouse);
    const stolen = await as(gatehouse, thief).token({ grant_type: DEVICE_GRANT, device_code: device.code.device_code });
    expect([stolen.status, stolen.body['error']]).toEqual([400, 'invalid_grant']);
    expect((await device.poll()).access_token).toBeTypeOf('string');
  });

  it('sent twice end what they gave: somebody has overheard them', async () => {
    const device = await startDevice(gatehouse, app, { scope: 'openid offline_access' });
    await connectAs(new Browser(gatehouse.issuer), device, person);
    const { refresh_token } = await device.poll();
    await expect(device.poll()).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await as(gatehouse, app).refresh(refresh_token!)).status).toBe(400);
  });

  it('cannot be confirmed by another site’s form (section 5.4)', async () => {
    const device = await startDevice(gatehouse, app);
    const victim = new Browser(gatehouse.issuer);
    await victim.open('/device');
    for (const xsrf of ['', 'x', fieldValue(await new Browser(gatehouse.issuer).open('/device'), 'xsrf')]) {
      const body = new URLSearchParams({ xsrf, user_code: device.code.user_code, confirm: 'yes' });
      const page = await victim.open('/device', { method: 'POST', body });
      expect(page.html.querySelector('input[name=password]')).toBeNull();
    }
    await expect(device.poll()).rejects.toMatchObject({ error: 'authorization_pending' });
  });

  it('in a link do nothing until a person confirms them, signed in or not (section 5.4)', async () => {
    const at = new Browser(gatehouse.issuer);
    await connectAs(at, await startDevice(gatehouse, app), person);
    const planted = await startDevice(gatehouse, app);
    const page = await at.open(planted.code.verification_uri_complete!);
    expect(page.text).not.toMatch(/submit\(\)|http-equiv="refresh"/);
    await expect(planted.poll()).rejects.toMatchObject({ error: 'authorization_pending' });
    const confirm = await at.submit(page);
    expect(confirm.text).toContain('started this yourself');
    passTime(6);
    await expect(planted.poll()).rejects.toMatchObject({ error: 'authorization_pending' });
    backToNow();
  });

  it.each(['<script>alert(1)</script>', '"><img src=x>', 'x'.repeat(5000), "' OR 1=1", '\u0000', '%', '{"$gt":""}'])(
    'of %.20j are text',
    async (user_code) => {
      const at = new Browser(gatehouse.issuer);
      const asked = await at.open(`/device?${new URLSearchParams({ user_code }).toString()}`);
      const typed = await at.submit(asked, { user_code });
      for (const page of [asked, typed]) {
        expect(page.status).toBeLessThan(500);
        expect(page.text).not.toMatch(/<script>alert|<img src=x/);
      }
    },
  );

  it('cannot be read from the store', async () => {
    const device = await startDevice(gatehouse, app);
    const found = JSON.stringify(
      await gatehouse.storage.protocol.findByUserCode(device.code.user_code.replace('-', '')),
    );
    expect(found).toBeUndefined();
  });

  it('do not widen what the client may ask for', async () => {
    const narrow = await deviceApp(gatehouse, { scope: 'openid' });
    const device = await startDevice(gatehouse, narrow, { scope: 'openid email phone' }).catch(
      (error: unknown) => error,
    );
    if (device instanceof Error) return;
    await connectAs(new Browser(gatehouse.issuer), device as Awaited<ReturnType<typeof startDevice>>, person);
    const { scope } = await (device as Awaited<ReturnType<typeof startDevice>>).poll();
    expect(scope).toBe('openid');
  });
});
