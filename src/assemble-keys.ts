/** Wires keys: those that encrypt, those that hash, those that sign. */
import { decodeKeys } from './config/secrets.ts';
import type { Config } from './config/schema.ts';
import type { Logger } from './kernel/logger.ts';
import type { Resealed as Pass } from './kernel/reseal.ts';
import { createHashing, createSealing } from './kernel/secrets.ts';
import type { Purpose, Vault } from './kernel/secrets.ts';
import { createKeySetFetches } from './keys/fetches.ts';
import type { KeySetFetches } from './keys/fetches.ts';
import { loadHashingKeys, resealHashingKeys } from './keys/hashing-keys.ts';
import { createLiveKeys } from './keys/live-keys.ts';
import type { LiveKeys } from './keys/live-keys.ts';
import { createKeyMaker } from './keys/making.ts';
import { keysOverview } from './keys/overview.ts';
import type { KeysOverview } from './keys/overview.ts';
import type { RotationPolicy } from './keys/policy.ts';
import { createRotation } from './keys/rotation.ts';
import type { Rotation } from './keys/rotation.ts';
import { loadSigner } from './keys/signer.ts';
import { resealClients } from './clients/reseal.ts';
import { resealFactors } from './factors/reseal.ts';
import { NO_PROVIDERS, PROVIDERS } from './federation/records.ts';
import { resealProviders } from './federation/reseal.ts';
import { createLiveDocument } from './kernel/live-documents.ts';
import { resealLogOuts } from './logout/reseal.ts';
import { resealMails } from './mail/reseal.ts';
import { resealRecords } from './protocol/reseal.ts';
import type { Storage } from './storage/storage.ts';

export type VaultFor = (purpose: Purpose) => Vault;

/** What was sealed anew, by where it lies. */
export interface Resealed {
  keys: number;
  records: number;
  factors: number;
  clients: number;
  mail: number;
  logout: number;
  providers: number;
  /** Somebody kept changing them: do it again. */
  missed: number;
  /** No configured key opens them. */
  unreadable: number;
}

export interface Keys {
  rotation: Rotation;
  fetches: KeySetFetches;
  overview(): Promise<KeysOverview>;
  /** Seals all that the store holds with the newest encryption key. Can be broken off, and run again, at any time. */
  reseal(): Promise<Resealed>;
  /** Seconds for which what apps hold, sealed with a former key, may still come back, as it is set now. */
  longest(): number;
  /** Begins to know the keys; a server does. */
  live(): Promise<LiveKeys>;
}

/** @returns the vault of each purpose, all with the hashing keys of this store. @throws invalid_input when no key opens them. */
export async function assembleVaults({ secrets }: Pick<Config, 'secrets'>, storage: Storage): Promise<VaultFor> {
  const encryptionKeys = decodeKeys(secrets.encryption_key);
  try {
    const hashing = createHashing(await loadHashingKeys({ store: storage.keyRings, encryptionKeys }));
    return (purpose) => ({ ...hashing, ...createSealing(encryptionKeys, purpose) });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

const PASSES = 5;

/** Until nothing was changed by somebody else in between. */
async function repeatedly(pass: () => Promise<Pass>): Promise<Pass> {
  let done = await pass();
  for (let passes = 1; passes < PASSES && done.missed > 0; passes += 1) {
    const again = await pass();
    done = { ...again, resealed: done.resealed + again.resealed };
  }
  return done;
}

interface Needs {
  config: Pick<Config, 'keys' | 'lifetimes' | 'secrets'>;
  storage: Storage;
  vaultFor: VaultFor;
  log: Logger;
}

export async function assembleKeys({ config, storage, vaultFor, log }: Needs): Promise<Keys> {
  const { signer: file, fetch_record, ...rules } = config.keys;
  const longest = () => Math.max(config.lifetimes.access_token, config.lifetimes.id_token);
  const policy: RotationPolicy = {
    ...rules,
    get longest() {
      return longest();
    },
  };
  const store = storage.keyRings;
  const maker = createKeyMaker({
    vault: vaultFor('keys'),
    signer: file === undefined ? undefined : await loadSigner(file),
  });
  const rotation = createRotation({ store, maker, policy, log });
  const fetches = createKeySetFetches({
    store: storage.keySetFetches,
    retention: fetch_record,
    onError: (error) => log.warn({ err: error }, 'who fetched the key set could not be noted'),
  });
  return {
    rotation,
    fetches,
    longest,
    overview: () => keysOverview({ rotation, fetches, policy }),
    live: () => createLiveKeys({ store, rotation, maker, policy, log }),
    async reseal() {
      const encryptionKeys = decodeKeys(config.secrets.encryption_key);
      const keys = (await rotation.reseal()) + (await resealHashingKeys({ store, encryptionKeys }));
      const records = await repeatedly(() => resealRecords({ store: storage.protocol, sealing: vaultFor('records') }));
      const factors = await repeatedly(() => resealFactors({ store: storage.factors, sealing: vaultFor('factors') }));
      const clients = await repeatedly(() => resealClients({ store: storage.clients, sealing: vaultFor('clients') }));
      const mail = await repeatedly(() => resealMails({ store: storage.outbox, sealing: vaultFor('mail') }));
      const logout = await repeatedly(() => resealLogOuts({ store: storage.logout, sealing: vaultFor('logout') }));
      const added = createLiveDocument(storage.liveDocuments, PROVIDERS, NO_PROVIDERS);
      const providers = await repeatedly(() => resealProviders(added, vaultFor('providers')));
      const all = [records, factors, clients, mail, logout, providers];
      const sum = (count: 'missed' | 'unreadable') => all.reduce((total, one) => total + one[count], 0);
      return {
        keys,
        records: records.resealed,
        factors: factors.resealed,
        clients: clients.resealed,
        mail: mail.resealed,
        logout: logout.resealed,
        providers: providers.resealed,
        missed: sum('missed'),
        unreadable: sum('unreadable'),
      };
    },
  };
}
