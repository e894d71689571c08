/** The use cases of second factors: the same functions serve the sign-in, the person's page and the commands. */
import { epochSeconds, isoNow } from '../kernel/clock.ts';
import { conflict } from '../kernel/errors.ts';
import type { Vault } from '../kernel/secrets.ts';
import { isRequiredOf } from './levels.ts';
import type { Policy } from './levels.ts';
import { qrSvg } from './qr.ts';
import { createFactorRecords } from './record.ts';
import { newRecoveryCodes, readRecoveryCode } from './recovery-codes.ts';
import { createRememberedDevices } from './remembered-devices.ts';
import type { RememberedDevices } from './remembered-devices.ts';
import type { AccountFactors, FactorStore } from './store.ts';
import { matchingStep, newTotpSecret, totpUri } from './totp.ts';

/** Without secrets. */
export interface FactorSummary {
  totp: boolean;
  passkeys: number;
  recovery_codes_left: number;
}

/** The same for the person's page. */
export interface FactorDetails extends FactorSummary {
  totp_since: string | null;
  totp_last_used_at: string | null;
  recovery_codes_since: string | null;
}

/** What an authenticator app is told: nobody else may see it. */
export interface TotpEnrolment {
  /** In base32, to be typed. */
  secret: string;
  /** The same as an SVG to be scanned. */
  qr: string;
}

interface Person {
  id: string;
  roles: string[];
  groups?: string[];
}

export interface Factors {
  of(accountId: string): Promise<FactorSummary>;
  details(accountId: string): Promise<FactorDetails>;
  /**
   * Begins to enrol an authenticator app. Asked again in the same place it tells the same.
   * @param place where it is under way, such as an interaction: the code must be typed there.
   */
  beginTotp(account: { id: string; email: string }, place: string): Promise<TotpEnrolment>;
  /**
   * Takes the authenticator app that was begun, in the place of an older one, if this is a code of it. Ends remembered devices.
   * @returns undefined where nothing is under way any more.
   */
  confirmTotp(accountId: string, place: string, code: string): Promise<boolean | undefined>;
  /** Whether it is a code that was not used; uses up its time step. Of callers at once one gets true. */
  useTotp(accountId: string, code: string): Promise<boolean>;
  /** @throws conflict where it is the last factor and one is required. @returns whether there was one. */
  removeTotp(person: Person): Promise<boolean>;
  /**
   * Makes new recovery codes in the place of all older ones.
   * @param options `with_factor`: they come with a factor that was added just now, of which the person is told anyway.
   * @returns them, this once.
   */
  renewRecoveryCodes(accountId: string, options?: { with_factor: boolean }): Promise<string[]>;
  /**
   * The same in the place of those that were made at `since`, no others: a form that is sent twice makes one set.
   * @param since as in `details`; null where there are none. @returns undefined where there are others by now.
   */
  replaceRecoveryCodes(accountId: string, since: string | null): Promise<string[] | undefined>;
  /** Whether it is one of the codes that are left; uses it up. Of callers at once one gets true. */
  useRecoveryCode(accountId: string, typed: string): Promise<boolean>;
  /**
   * Runs `remove`, which takes a factor away, unless it would take the last one where one is required. One at a time for each
   * account. Where none is left afterwards, recovery codes and remembered devices go too. @throws conflict.
   */
  removing<T>(person: Person, remove: () => Promise<T>): Promise<T>;
  /** Whether it is their only factor and one is required: `removing` would refuse. */
  isLast(person: Person): Promise<boolean>;
  /** To be called when a passkey was added or removed: remembered devices end. */
  changed(accountId: string): Promise<void>;
  /** Seconds that the person may still put off adding a factor; begins to count when it is first asked. */
  graceLeft(accountId: string): Promise<number>;
  /** Takes all of it away, passkeys too: for whoever has lost everything, and for accounts that end. */
  erase(accountId: string): Promise<void>;
  devices: RememberedDevices;
}

interface Records {
  find(kind: string, id: string): Promise<Record<string, unknown> | undefined>;
  change(
    kind: string,
    id: string,
    apply: (current: Record<string, unknown> | undefined) => Record<string, unknown>,
    ttl: number,
  ): Promise<Record<string, unknown>>;
  consume(kind: string, id: string): Promise<boolean>;
  insertIfAbsent(kind: string, id: string, payload: Record<string, unknown>, ttl: number): Promise<boolean>;
  destroy(kind: string, id: string): Promise<void>;
}

export interface FactorNeeds {
  store: FactorStore;
  /** Of passkeys, which keep themselves. */
  passkeys?: { count(accountId: string): Promise<number>; deleteByAccount(accountId: string): Promise<void> };
  records: Records;
  vault: Vault;
  /** What authenticator apps show beside the e-mail. */
  issuer: string;
  settings: Policy & { remember_device: number; enrolment_grace: number };
  /** All roles of a person, those of their groups too. */
  rolesOf?: (person: Person) => Promise<string[]>;
}

const ENROLMENT = 'TotpEnrolment';
/** Seconds to scan a code and type another. */
const ENROLMENT_TTL = 1800;
const REMOVAL = 'FactorRemoval';
const REMOVAL_TTL = 10;

/** What the sealed secret of an authenticator app is bound to. */
export const totpContext = (accountId: string): string => `totp secret of ${accountId}`;

const NO_PASSKEYS = { count: async () => 0, deleteByAccount: async () => undefined };

export function createFactors(needs: FactorNeeds): Factors {
  const { store, records, vault, settings, passkeys = NO_PASSKEYS } = needs;
  const { rolesOf = async ({ roles }: Person) => roles } = needs;
  const kept = createFactorRecords(store);
  const devices = createRememberedDevices({ records: kept, vault, ttl: settings.remember_device });
  const context = totpContext;
  const seal = (accountId: string, secret: string) => vault.seal(secret, context(accountId)).toString('base64');
  const open = (accountId: string, sealed: string) => vault.open(Buffer.from(sealed, 'base64'), context(accountId));
  const codeHash = (accountId: string, code: string) => vault.lookupKey('recovery code', `${accountId}\n${code}`);
  const newCodes = (accountId: string) => {
    const codes = newRecoveryCodes();
    return { codes, hashes: codes.map((code) => codeHash(accountId, code)) };
  };
  const slot = (accountId: string, place: string) => `${accountId}\n${place}`;

  const summary = ({ totp, recovery_codes }: AccountFactors, count: number): FactorSummary => ({
    totp: totp !== null,
    passkeys: count,
    recovery_codes_left: recovery_codes?.hashes.length ?? 0,
  });
  const both = (accountId: string) => Promise.all([kept.load(accountId), passkeys.count(accountId)]);
  /** Whether the policy demands a second factor of this person, whatever the app asks for. */
  const isRequired = async (person: Person) => isRequiredOf(settings, await rolesOf(person));

  async function isLast(person: Person): Promise<boolean> {
    const [{ totp }, count] = await both(person.id);
    return (totp ? 1 : 0) + count <= 1 && (await isRequired(person));
  }

  async function removing<T>(person: Person, remove: () => Promise<T>): Promise<T> {
    if (!(await records.insertIfAbsent(REMOVAL, person.id, {}, REMOVAL_TTL)))
      throw conflict('another factor is being removed');
    try {
      if (await isLast(person)) throw conflict('the last second factor stays: one is required');
      const removed = await remove();
      const [after, left] = await both(person.id);
      const none = after.totp === null && left === 0;
      await kept.change(person.id, (current) => ({
        ...current,
        devices: [],
        recovery_codes: none ? null : current.recovery_codes,
      }));
      return removed;
    } finally {
      await records.destroy(REMOVAL, person.id);
    }
  }

  return {
    devices,
    isLast,
    removing,

    async of(accountId) {
      return summary(...(await both(accountId)));
    },

    async details(accountId) {
      const [found, count] = await both(accountId);
      return {
        ...summary(found, count),
        totp_since: found.totp?.created_at ?? null,
        totp_last_used_at: found.totp?.last_used_at ?? null,
        recovery_codes_since: found.recovery_codes?.created_at ?? null,
      };
    },

    async beginTotp({ id, email }, place) {
      const isOpen = (found: Record<string, unknown> | undefined) => found && found['consumed'] === undefined;
      const found = await records.find(ENROLMENT, slot(id, place));
      const fresh = await newTotpSecret();
      const pending = isOpen(found)
        ? found!
        : await records.change(
            ENROLMENT,
            slot(id, place),
            (current) => (isOpen(current) ? current! : { secret: fresh, accountId: id }),
            ENROLMENT_TTL,
          );
      const secret = String(pending['secret']);
      return { secret, qr: await qrSvg(await totpUri(secret, { issuer: needs.issuer, label: email })) };
    },

    async confirmTotp(accountId, place, code) {
      const pending = await records.find(ENROLMENT, slot(accountId, place));
      if (!pending) return undefined;
      const secret = String(pending['secret']);
      const step = await matchingStep(secret, code);
      if (step === undefined) return false;
      // Of two tabs one enrols it.
      if (!(await records.consume(ENROLMENT, slot(accountId, place)))) return undefined;
      const now = isoNow();
      const totp = { sealed: seal(accountId, secret), created_at: now, last_used_at: now, last_step: step };
      await kept.change(accountId, (current) => ({ ...current, totp, devices: [] }));
      await records.destroy(ENROLMENT, slot(accountId, place));
      return true;
    },

    async useTotp(accountId, code) {
      const { totp } = await kept.load(accountId);
      const step = totp && (await matchingStep(open(accountId, totp.sealed), code));
      if (!totp || step === undefined) return false;
      return kept.change(
        accountId,
        (current) =>
          // Another app meanwhile, or a code of this step or a later one was used.
          current.totp?.created_at === totp.created_at && current.totp.last_step < step!
            ? { ...current, totp: { ...current.totp, last_step: step!, last_used_at: isoNow() } }
            : undefined,
        { durable: false },
      );
    },

    removeTotp: (person) =>
      removing(person, () =>
        kept.change(person.id, (current) => (current.totp ? { ...current, totp: null, devices: [] } : undefined)),
      ),

    async renewRecoveryCodes(accountId) {
      const { codes, hashes } = newCodes(accountId);
      await kept.change(accountId, (current) => ({ ...current, recovery_codes: { hashes, created_at: isoNow() } }));
      return codes;
    },

    async replaceRecoveryCodes(accountId, since) {
      const { codes, hashes } = newCodes(accountId);
      const replaced = await kept.change(accountId, (current) =>
        (current.recovery_codes?.created_at ?? null) === since
          ? { ...current, recovery_codes: { hashes, created_at: isoNow() } }
          : undefined,
      );
      return replaced ? codes : undefined;
    },

    async useRecoveryCode(accountId, typed) {
      const code = readRecoveryCode(typed);
      if (code === undefined) return false;
      const hash = codeHash(accountId, code);
      return kept.change(accountId, (current) =>
        current.recovery_codes?.hashes.includes(hash)
          ? {
              ...current,
              recovery_codes: {
                ...current.recovery_codes,
                hashes: current.recovery_codes.hashes.filter((one) => one !== hash),
              },
            }
          : undefined,
      );
    },

    changed: async (accountId) => void (await devices.forgetAll(accountId)),

    async graceLeft(accountId) {
      if (settings.enrolment_grace === 0) return 0;
      await kept.change(accountId, (current) =>
        current.asked_at === null ? { ...current, asked_at: isoNow() } : undefined,
      );
      const { asked_at } = await kept.load(accountId);
      const since = Math.floor(Date.parse(asked_at ?? isoNow()) / 1000);
      return Math.max(0, since + settings.enrolment_grace - epochSeconds());
    },

    async erase(accountId) {
      await passkeys.deleteByAccount(accountId);
      await store.delete(accountId);
    },
  };
}
