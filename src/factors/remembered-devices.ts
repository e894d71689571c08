/**
 * Browsers in which a second factor was proved and need not be again for a while. The browser has a random mark; what rests is its
 * keyed hash with the account, in the record of that account's factors, so that each change of those ends it.
 */
import { epochSeconds, isoNow } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { FactorRecords } from './record.ts';
import type { RememberedDevice } from './store.ts';

/** The one longest unused goes first. */
const MOST_DEVICES = 20;
const NAME_MAX = 80;

export interface RememberedDevices {
  /** Seconds a browser is remembered for; 0 for not at all. */
  readonly ttl: number;
  /** @param name as people call the browser. @returns the mark for it to keep. */
  remember(accountId: string, name: string): Promise<string>;
  /** Whether one of the marks is of a browser that is remembered for the account; notes its use. */
  isRemembered(accountId: string, marks: string[]): Promise<boolean>;
  /** Oldest first. */
  list(accountId: string): Promise<Omit<RememberedDevice, 'mark_hash'>[]>;
  /** The id of the device that has one of the marks. Notes no use. */
  idOf(accountId: string, marks: string[]): Promise<string | undefined>;
  /** @returns whether there was one. */
  forget(accountId: string, id: string): Promise<boolean>;
  /** @returns whether there were any. */
  forgetAll(accountId: string): Promise<boolean>;
}

interface Needs {
  records: FactorRecords;
  vault: Pick<Vault, 'lookupKey'>;
  ttl: number;
}

const isLive = ({ expires_at }: RememberedDevice) => expires_at > epochSeconds();

export function createRememberedDevices({ records, vault, ttl }: Needs): RememberedDevices {
  const hashOf = (accountId: string, mark: string) => vault.lookupKey('remembered device', `${accountId}\n${mark}`);

  return {
    ttl,
    async remember(accountId, name) {
      const mark = newId();
      const now = isoNow();
      const device: RememberedDevice = {
        id: newId(),
        mark_hash: hashOf(accountId, mark),
        name: name.slice(0, NAME_MAX),
        created_at: now,
        last_used_at: now,
        expires_at: epochSeconds() + ttl,
      };
      await records.change(accountId, (current) => ({
        ...current,
        devices: [...current.devices.filter(isLive).slice(1 - MOST_DEVICES), device],
      }));
      return mark;
    },

    async isRemembered(accountId, marks) {
      if (ttl === 0 || marks.length === 0) return false;
      const hashes = marks.map((mark) => hashOf(accountId, mark));
      const { devices, totp } = await records.load(accountId);
      // The life may have been shortened in the configuration since.
      const latest = epochSeconds() + ttl;
      const found = devices.find((one) => isLive(one) && one.expires_at <= latest && hashes.includes(one.mark_hash));
      if (!found) return false;
      let still = false;
      await records.change(
        accountId,
        (current) => {
          still = current.devices.some(({ id }) => id === found.id) && (current.totp === null) === (totp === null);
          if (!still) return undefined;
          const used = current.devices.map((one) => (one.id === found.id ? { ...one, last_used_at: isoNow() } : one));
          return { ...current, devices: used };
        },
        { durable: false },
      );
      return still;
    },

    async list(accountId) {
      const { devices } = await records.load(accountId);
      return devices.filter(isLive).map(({ id, name, created_at, last_used_at, expires_at }) => ({
        id,
        name,
        created_at,
        last_used_at,
        expires_at,
      }));
    },

    async idOf(accountId, marks) {
      const hashes = marks.map((mark) => hashOf(accountId, mark));
      const { devices } = await records.load(accountId);
      return devices.find((one) => isLive(one) && hashes.includes(one.mark_hash))?.id;
    },

    async forget(accountId, id) {
      return records.change(accountId, (current) =>
        current.devices.some((one) => one.id === id)
          ? { ...current, devices: current.devices.filter((one) => one.id !== id) }
          : undefined,
      );
    },

    forgetAll: (accountId) =>
      records.change(accountId, (current) => (current.devices.length > 0 ? { ...current, devices: [] } : undefined)),
  };
}
