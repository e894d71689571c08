/** Who sends a request, as far as limits go: from which address, and by a device that is known for an account or not. */
import type { Context } from 'koa';
import type { ClientAddress } from '../http/client-address.ts';
import type { DeviceCookie } from '../http/device-cookie.ts';
import type { KnownDevices } from '../limits/devices.ts';
import type { LimitKeys } from '../limits/limits.ts';

interface Needs {
  clientAddress: ClientAddress;
  deviceCookie: DeviceCookie;
  devices: KnownDevices;
}

export interface Visitor {
  /** What `limits` counts by. @param email as it was typed; without it only the address counts. */
  keys(ctx: Context, email?: string): Promise<LimitKeys>;
  /** Whether somebody signed in to the account with this e-mail address from here before. */
  isKnown(ctx: Context, email: string): Promise<boolean>;
  /** Notes a finished sign-in, and sends the cookie. @returns whether the device was known for the account before. */
  signedIn(ctx: Context, account: { id: string; email: string }): Promise<boolean>;
}

export function createVisitor({ clientAddress, deviceCookie, devices }: Needs): Visitor {
  const device = (ctx: Context, email: string) => devices.find(deviceCookie.read(ctx), email);
  return {
    async keys(ctx, email) {
      const address = clientAddress(ctx.req);
      return email === undefined ? { address } : { account: email, address, device: await device(ctx, email) };
    },
    isKnown: async (ctx, email) => (await device(ctx, email)) !== undefined,
    async signedIn(ctx, account) {
      const { marks, known } = await devices.remember(deviceCookie.read(ctx), account);
      deviceCookie.write(ctx, marks);
      return known;
    },
  };
}
