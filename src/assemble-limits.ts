/** Wires the limits, and what they need to know of whoever sends a request. */
import { normalizeEmail } from './accounts/email.ts';
import type { Config } from './config/schema.ts';
import { createClientAddress } from './http/client-address.ts';
import type { ClientAddress } from './http/client-address.ts';
import { createDeviceCookie } from './http/device-cookie.ts';
import { createVisitor } from './interaction/visitor.ts';
import type { Logger } from './kernel/logger.ts';
import type { Vault } from './kernel/secrets.ts';
import { createClientGuard } from './limits/client-guard.ts';
import { createKnownDevices } from './limits/devices.ts';
import { createLimits } from './limits/limits.ts';
import type { Limits } from './limits/limits.ts';
import type { CounterStore } from './limits/store.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';

interface Needs {
  config: Config;
  store: CounterStore;
  vault: Vault;
  log: Logger;
}

export const assembleLimits = ({ config, store, vault, log }: Needs) =>
  createLimits({ store, vault, settings: config.limits, normalizeAccount: normalizeEmail, log });

/** What stands between the network and the engine: who asks, and how often a client's secret may be wrong. */
export const assembleGuards = ({ config, store, vault, limits, log }: Needs & { limits: Limits }) => ({
  clientAddress: createClientAddress({ trusted: config.trusted_proxies, log }),
  clientGuard: createClientGuard({ limits, store, vault, settings: config.limits }),
});

/** Says loudly what must not be turned off unnoticed. */
export function warnWithoutLimits({ production, limits }: Config, log: Logger): void {
  if (production && !limits.enabled)
    log.warn({ setting: 'limits.enabled' }, 'limits are turned off: passwords and codes can be guessed without end');
}

interface VisitorNeeds {
  config: Config;
  clientAddress: ClientAddress;
  records: SealedRecords;
}

export function assembleVisitor({ config, clientAddress, records }: VisitorNeeds) {
  const ttl = config.limits.known_device;
  return createVisitor({
    clientAddress,
    deviceCookie: createDeviceCookie({ https: config.issuer.startsWith('https:'), ttl }),
    devices: createKnownDevices({ records, normalizeAccount: normalizeEmail, ttl }),
  });
}
