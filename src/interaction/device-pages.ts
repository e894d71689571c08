/** Pages of the device grant (RFC 8628): the code is typed, the app and the place are named, and it is done. */
import type { IncomingMessage } from 'node:http';
import { qrSvg } from '../factors/qr.ts';
import { isGatehouseError, minutes } from '../kernel/errors.ts';
import { networkOf } from '../kernel/addresses.ts';
import type { Render } from '../http/render.ts';
import type { DevicePages } from '../oidc/features/device.ts';
import { clientForPages } from './journey.ts';

interface Needs {
  render: Render;
  clientAddress: (req: IncomingMessage) => string;
  issuer: string;
  base: string;
}

/** What the library calls its errors. Whether a code is unknown, used or over is the same to whoever types it. */
function problem(error: Error): string {
  switch (error.name) {
    case 'NoCodeError':
      return 'device.error.none';
    case 'NotFoundError':
    case 'ExpiredError':
    case 'AlreadyUsedError':
      return 'device.error.unknown';
    case 'AbortedError':
      return 'device.error.cancelled';
    default:
      return isGatehouseError(error, 'limited') ? 'limited.tries' : 'device.error.failed';
  }
}

export function createDevicePages({ render, clientAddress, issuer, base }: Needs): DevicePages {
  return {
    async enterCode(ctx, form, error) {
      const limit = isGatehouseError(error, 'limited') ? error : undefined;
      const url = new URL(`${issuer}/device`);
      if (form.user_code !== undefined && !error) url.searchParams.set('user_code', form.user_code);
      const page = {
        ...form,
        error: error ? problem(error) : null,
        wait: limit ? minutes(limit) : null,
        qr: await qrSvg(url.href),
      };
      if (limit) ctx.set('Retry-After', String(limit.retryAfter));
      await render(ctx, 'interaction/device', page, { title: ['device.title'], status: limit ? 429 : 200 });
    },

    async confirm(ctx, form, client, { address }) {
      const page = {
        ...form,
        client: clientForPages(client, base),
        address,
        same_network: networkOf(address) === networkOf(clientAddress(ctx.req)),
      };
      const title: [string, Record<string, unknown>] = ['device.confirm.title', { client: page.client.name }];
      await render(ctx, 'interaction/device-confirm', page, { title });
    },

    async connected(ctx, client) {
      const page = { client: clientForPages(client, base) };
      await render(ctx, 'interaction/device-connected', page, { title: ['device.connected.title'] });
    },
  };
}
