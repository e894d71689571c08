/** Wires the record of what happened: the same use cases as everywhere, each noting what it did. */
import type { Accounts } from './accounts/accounts.ts';
import type { Keys } from './assemble-keys.ts';
import { createAudit } from './audit/audit.ts';
import type { Audit, Operator } from './audit/audit.ts';
import type { ActType } from './audit/event.ts';
import type { AuditStore } from './audit/store.ts';
import type { Config } from './config/schema.ts';
import type { ConsentStore } from './consents/store.ts';
import type { Linking } from './federation/linking.ts';
import type { Callers } from './http/caller.ts';
import { deviceName } from './http/device.ts';
import type { Logger } from './kernel/logger.ts';
import type { Vault } from './kernel/secrets.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';
import type { Verification } from './verification/verification.ts';

interface Needs {
  config: Config;
  store: AuditStore;
  vault: Vault;
  callers: Callers;
  operator: Operator | undefined;
  log: Logger;
}

export const assembleAudit = ({ config, store, vault, callers, operator, log }: Needs) =>
  createAudit({
    store,
    signer: vault,
    caller: callers.current,
    operator,
    deviceName,
    retention: config.audit.retention,
    log,
  });

/** In seconds: longer than it takes. */
const ADOPTING = 600;

/** Takes records of before the chain into it, where there are any. */
export async function adoptOldRecords(audit: Audit, records: Pick<SealedRecords, 'insertIfAbsent'>): Promise<void> {
  if (!(await audit.hasOld())) return;
  if (await records.insertIfAbsent('AuditAdoption', 'all', {}, ADOPTING)) await audit.adopt();
}

const HEAD_EVERY_MS = 300_000;

/** Writes to the log, now and then and at the end, where the chain ends. @returns a function that stops it. */
export function startLoggingHeads(audit: Audit, log: Logger): () => Promise<void> {
  const logHead = () =>
    audit
      .logHead()
      .catch((error: unknown) => log.warn({ err: error }, 'the head of the audit chain could not be read'));
  const timer = setInterval(() => void logHead(), HEAD_EVERY_MS).unref();
  return async () => {
    clearInterval(timer);
    await logHead();
  };
}

/** What somebody did to the keys; that they rotate by themselves is for the log. */
export function noteKeys(keys: Keys, audit: Audit): Keys {
  const note = (type: ActType, changed: { id: string }[]) =>
    changed.length === 0
      ? undefined
      : audit.act(type, { kind: 'system', id: null }, { keys: changed.map(({ id }) => id).join(' ') });
  return {
    ...keys,
    rotation: {
      ...keys.rotation,
      async rotate(algorithms) {
        const made = await keys.rotation.rotate(algorithms);
        await note('signing_keys_published', made);
        return made;
      },
      async compromise(which) {
        const removed = await keys.rotation.compromise(which);
        await note('signing_keys_removed', removed);
        return removed;
      },
    },
    async reseal() {
      const done = await keys.reseal();
      await audit.act('encryption_key_replaced', { kind: 'system', id: null }, { unreadable: String(done.unreadable) });
      return done;
    },
  };
}

/** Wrong passwords are noted when the answer is out, so that its time does not tell whether there is such an account. */
export function noteWrongPasswords(accounts: Accounts, audit: Audit, callers: Callers): Accounts {
  async function note(email: string): Promise<void> {
    const account = await accounts.findByEmail(email);
    if (account) await audit.record('wrong_password', account.id);
  }
  return {
    ...accounts,
    async authenticate(email, password) {
      const account = await accounts.authenticate(email, password);
      if (!account) callers.afterAnswer(() => note(email));
      return account;
    },
  };
}

export function noteVerification(verification: Verification, audit: Audit): Verification {
  const { recovery, emailChanges } = verification;
  return {
    ...verification,
    recovery: {
      ...recovery,
      async reset(...given) {
        const done = await recovery.reset(...given);
        if (done) await audit.record('password_reset', done.account.id);
        return done;
      },
    },
    emailChanges: {
      ...emailChanges,
      async confirm(...given) {
        const changed = await emailChanges.confirm(...given);
        if (changed && changed !== 'taken') await audit.record('email_changed', changed.id);
        return changed;
      },
      async change(...given) {
        const changed = await emailChanges.change(...given);
        await audit.record('email_changed', changed.id, { actor: 'admin' });
        return changed;
      },
      async undo(...given) {
        const restored = await emailChanges.undo(...given);
        if (restored) await audit.record('email_restored', restored.id);
        return restored;
      },
    },
  };
}

export const noteConsents = (consents: ConsentStore, audit: Audit): ConsentStore => ({
  ...consents,
  async put(consent, options) {
    const note = () => audit.record('app_allowed', consent.account_id, { detail: { client_id: consent.client_id } });
    // What is not durable says what was said before, only later.
    if (options?.durable === false) return void (await Promise.all([consents.put(consent, options), note()]));
    await consents.put(consent, options);
    await note();
  },
});

export const noteLinking = (linking: Linking, audit: Audit): Linking => ({
  ...linking,
  async join(identity, accountId, ...rest) {
    const joined = await linking.join(identity, accountId, ...rest);
    if (joined) await audit.record('provider_connected', accountId, { detail: { provider: identity.provider } });
    return joined;
  },
  async connect(identity, accountId) {
    const connected = await linking.connect(identity, accountId);
    if (connected) await audit.record('provider_connected', accountId, { detail: { provider: identity.provider } });
    return connected;
  },
});

export const noteSignOut =
  (audit: Audit) =>
  (accountId: string, clientId: string | undefined): Promise<void> =>
    audit.record('sign_out', accountId, clientId === undefined ? {} : { detail: { client_id: clientId } });
