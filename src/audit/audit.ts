import type { CurrentCaller } from '../kernel/caller.ts';
import { parseAddress } from '../kernel/addresses.ts';
import { isoNow } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Actor, AuditEvent, EventType } from './event.ts';
import type { AuditStore } from './store.ts';

export interface Audit {
  /**
   * Notes what happened; from where and by which device it takes from the request under way. Never rejects: what was done stands,
   * and that it could not be noted is logged.
   */
  record(type: EventType, accountId: string, about?: { actor?: Actor; detail?: Record<string, string> }): Promise<void>;
  /** Newest first. */
  listByAccount(accountId: string, page: PageRequest): Promise<Page<AuditEvent>>;
  /** Leaves the events of an erased account under a pseudonym, without anything that tells whose they were. */
  erase(accountId: string): Promise<void>;
  /** Removes what is older than events are kept. */
  purge(): Promise<void>;
}

interface Needs {
  store: AuditStore;
  vault: { lookupKey(kind: string, id: string): string };
  caller: CurrentCaller;
  deviceName: (userAgent: string) => string | null;
  /** Seconds that events are kept. */
  retention: number;
  log: Logger;
}

const PURGE_BATCH = 500;
const IPV4_OCTETS = 3;
const IPV6_GROUPS = 3;

/** Part of an address: enough to recognise one's own, too little to find a household by. */
export function networkPart(text: string): string | null {
  const address = parseAddress(text);
  if (!address) return null;
  if (address.kind() === 'ipv4') return `${address.toString().split('.').slice(0, IPV4_OCTETS).join('.')}.0/24`;
  const groups = address.toByteArray().reduce<string[]>((all, byte, index, bytes) => {
    if (index % 2 === 0) all.push(((byte << 8) | bytes[index + 1]!).toString(16));
    return all;
  }, []);
  return `${groups.slice(0, IPV6_GROUPS).join(':')}::/48`;
}

export function createAudit({ store, vault, caller, deviceName, retention, log }: Needs): Audit {
  return {
    async record(type, account_id, { actor = 'person', detail = {} } = {}) {
      const from = actor === 'person' ? caller() : undefined;
      const event: AuditEvent = {
        id: newId(),
        type,
        account_id,
        actor,
        network: from ? networkPart(from.address) : null,
        device: from ? deviceName(from.user_agent) : null,
        detail,
        created_at: isoNow(),
      };
      try {
        await store.append(event);
      } catch (error) {
        log.error({ err: error, type }, 'an event could not be noted');
      }
    },
    listByAccount: (accountId, page) => store.listByAccount(accountId, page),
    erase: (accountId) => store.pseudonymize(accountId, `erased_${vault.lookupKey('erased account', accountId)}`),
    async purge() {
      const before = new Date(Date.now() - retention * 1000).toISOString();
      while ((await store.purge(before, PURGE_BATCH)) === PURGE_BATCH);
    },
  };
}
