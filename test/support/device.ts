/** A device that shows a code, and a person with a browser elsewhere. */
import * as oidc from 'openid-client';
import type { Running } from './gatehouse.ts';
import type { Browser, Page } from './browser.ts';
import type { App, Person } from './journey.ts';
import { relyingParty } from './relying-party.ts';
import type { RelyingParty } from './relying-party.ts';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

export const deviceApp = (gatehouse: Running, input: Parameters<Running['app']>[0] = {}): Promise<App> =>
  gatehouse.app({
    type: 'native',
    name: 'Living Room',
    redirect_uris: [],
    ...input,
    protocol: { grant_types: [DEVICE_GRANT, 'refresh_token'], ...input.protocol },
  });

export interface Device {
  rp: RelyingParty;
  code: oidc.DeviceAuthorizationResponse;
  /** Asks once whether the person is done. */
  poll(): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers>;
}

export async function startDevice(
  gatehouse: Running,
  app: App,
  parameters: Record<string, string> = {},
): Promise<Device> {
  const rp = await relyingParty(gatehouse, app);
  const code = await oidc.initiateDeviceAuthorization(rp.config, { scope: 'openid profile email', ...parameters });
  return {
    rp,
    code,
    poll: () => oidc.genericGrantRequest(rp.config, DEVICE_GRANT, { device_code: code.device_code }),
  };
}

/** Types the code and confirms the device, up to the sign-in. */
export async function connect(browser: Browser, { code }: Pick<Device, 'code'>): Promise<Page> {
  const form = await browser.open(code.verification_uri);
  const confirm = await browser.submit(form, { user_code: code.user_code });
  return browser.submit(confirm, { confirm: 'yes' });
}

/** All a person does. */
export async function connectAs(
  browser: Browser,
  device: Pick<Device, 'code'>,
  { email, password }: Person,
): Promise<Page> {
  let page = await connect(browser, device);
  if (page.html.querySelector('input[name=password]')) page = await browser.submit(page, { email, password });
  return page.html.querySelector('button[name=decision]') ? browser.submit(page, { decision: 'allow' }) : page;
}
