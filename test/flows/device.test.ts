import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { DEVICE_GRANT, connect, connectAs, deviceApp, startDevice } from '../support/device.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, backToNow, fieldValue, heading, linkNamed, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';

describe('a device without a browser (RFC 8628)', () => {
  let gatehouse: Running;
  let app: App;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    app = await deviceApp(gatehouse);
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);
  const browser = () => new Browser(gatehouse.issuer);

  it('is connected by a code that its person types elsewhere', async () => {
    const device = await startDevice(gatehouse, app);
    expect(device.code.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect(device.code.verification_uri).toBe(`${gatehouse.issuer}/device`);
    await expect(device.poll()).rejects.toMatchObject({ error: 'authorization_pending' });
    const done = await connectAs(browser(), device, person);
    expect(heading(done)).toBe('Your device is connected');
    const tokens = await device.poll();
    expect(tokens.claims()).toMatchObject({ sub: person.sub, email: person.email });
    expect((await oidc.fetchUserInfo(device.rp.config, tokens.access_token, person.sub)).sub).toBe(person.sub);
  });

  it('keeps its tokens after the browser signed out where the person allowed that', async () => {
    const device = await startDevice(gatehouse, app, { scope: 'openid offline_access' });
    const at = browser();
    await connectAs(at, device, person);
    const tokens = await device.poll();
    await at.submit(await at.open('/session/end'), { logout: 'yes' });
    expect((await as(gatehouse, app).refresh(tokens.refresh_token!)).status).toBe(200);
  });

  it('shows its app, its code and where it is before anything else', async () => {
    const device = await startDevice(gatehouse, app);
    const at = browser();
    const confirm = await at.submit(await at.open('/device'), {
      user_code: device.code.user_code.toLowerCase().replace('-', ' '),
    });
    expect(heading(confirm)).toBe('Connect Living Room?');
    expect(confirm.text).toContain(device.code.user_code);
    expect(confirm.text).toContain('on the same network');
    expect(confirm.html.querySelector('input[name=password]')).toBeNull();
  });

  it('can bring its code along in the address, which the person still confirms', async () => {
    const device = await startDevice(gatehouse, app);
    const page = await browser().open(device.code.verification_uri_complete!);
    expect(page.status).toBe(200);
    expect(fieldValue(page, 'user_code')).toBe(device.code.user_code);
    expect(page.text).not.toContain('<script>');
    expect(page.html.querySelector('.gh-qr svg')).not.toBeNull();
    await expect(device.poll()).rejects.toMatchObject({ error: 'authorization_pending' });
  });

  it('is not connected when the person says that it is not theirs', async () => {
    const device = await startDevice(gatehouse, app);
    const at = browser();
    const confirm = await at.submit(await at.open('/device'), { user_code: device.code.user_code });
    const page = await at.submit(confirm, { abort: 'yes' });
    expect(alertText(page)).toContain('You cancelled');
    await expect(device.poll()).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('is not connected when the person does not allow it what it asks for', async () => {
    const device = await startDevice(gatehouse, app);
    const at = browser();
    const consent = await at.submit(await connect(at, device), { email: person.email, password: person.password });
    expect(heading(consent)).toBe('Living Room wants access');
    const page = await at.submit(consent, { decision: 'deny' });
    expect(alertText(page)).toContain('You cancelled');
    await expect(device.poll()).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('learns that its code ran out, and so does who types it', async () => {
    const device = await startDevice(gatehouse, app);
    expect(device.code.expires_in).toBe(600);
    passTime(601);
    const at = browser();
    const page = await at.submit(await at.open('/device'), { user_code: device.code.user_code });
    expect(alertText(page)).toContain('no longer good');
    await expect(device.poll()).rejects.toMatchObject({
      error: expect.stringMatching(/expired_token|invalid_grant/) as string,
    });
  });

  it('whose sign-in ran out is begun again at the code', async () => {
    const device = await startDevice(gatehouse, app);
    const at = browser();
    const page = await connect(at, device);
    passTime(3601);
    const late = await at.submit(page, { email: person.email, password: person.password });
    expect(heading(await at.open(linkNamed(late, 'Start again')))).toBe('Connect a device');
  });

  it('asks for an API as any app does', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const device = await startDevice(gatehouse, app, { scope: 'openid notes:read', resource: api.resource! });
    await connectAs(browser(), device, person);
    const { access_token } = await device.poll();
    expect((await as(gatehouse, api).introspect(access_token)).body).toMatchObject({
      active: true,
      scope: 'notes:read openid',
    });
  });

  it('gets its tokens once, however many ask at the same moment', async () => {
    const device = await startDevice(gatehouse, app);
    await connectAs(browser(), device, person);
    const answers = await atOnce(10, () =>
      as(gatehouse, app).token({ grant_type: DEVICE_GRANT, device_code: device.code.device_code }),
    );
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
  });

  it('is told to slow down when it asks faster than it may (section 3.5)', async () => {
    const device = await startDevice(gatehouse, app);
    const poll = () =>
      device.poll().then(
        () => 'tokens',
        ({ error }: { error: string }) => error,
      );
    expect(await poll()).toBe('authorization_pending');
    expect(await poll()).toBe('slow_down');
    passTime(6);
    expect(await poll()).toBe('slow_down');
    passTime(16);
    expect(await poll()).toBe('authorization_pending');
    await connectAs(browser(), device, person);
    expect(await poll()).toBe('tokens');
  });

  it('belongs to one person, when two type its code at the same moment', async () => {
    const other = await gatehouse.person();
    const device = await startDevice(gatehouse, app);
    const people = [person, other].map((who) => ({ who, at: browser() }));
    const forms = await Promise.all(
      people.map(async ({ at }) => at.submit(await at.open('/device'), { user_code: device.code.user_code })),
    );
    const pages = await Promise.all(people.map(({ at }, index) => at.submit(forms[index]!, { confirm: 'yes' })));
    const signIns = pages.filter((page) => page.html.querySelector('input[name=password]'));
    expect(signIns).toHaveLength(1);
  });

  it('is a client that was registered for it: others get nothing', async () => {
    const web = await gatehouse.app();
    await expect(startDevice(gatehouse, web)).rejects.toMatchObject({ status: 400 });
  });

  it('is told of in the metadata', async () => {
    const metadata = (await (await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >;
    expect(metadata['device_authorization_endpoint']).toBe(`${gatehouse.issuer}/device/auth`);
    expect(metadata['grant_types_supported']).toContain(DEVICE_GRANT);
  });
});

it('the device grant can be switched off', async () => {
  const gatehouse = await startGatehouse({ GATEHOUSE_DEVICE_FLOW_ENABLED: 'false' });
  expect((await fetch(`${gatehouse.issuer}/device`)).status).toBe(404);
  const metadata = (await (await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`)).json()) as Record<
    string,
    unknown
  >;
  expect(metadata['device_authorization_endpoint']).toBeUndefined();
  await gatehouse.stop();
});

it('a device elsewhere is named as elsewhere', async () => {
  const gatehouse = await startGatehouse({ GATEHOUSE_TRUSTED_PROXIES: 'loopback' });
  const app = await deviceApp(gatehouse);
  const body = new URLSearchParams({ client_id: app.client_id, scope: 'openid' });
  const asked = await fetch(`${gatehouse.issuer}/device/auth`, {
    method: 'POST',
    body,
    headers: { 'x-forwarded-for': '203.0.113.7' },
  });
  const { user_code } = (await asked.json()) as { user_code: string };
  const at = new Browser(gatehouse.issuer);
  const confirm = await at.submit(await at.open('/device'), { user_code });
  expect(confirm.text).toContain('another network');
  expect(confirm.text).toContain('203.0.113.7');
  await gatehouse.stop();
});
