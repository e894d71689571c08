/** Wires what admins may set while all runs. */
import { createSettings, createSettingValues, NO_SETTINGS, SETTINGS_DOCUMENT } from './administration/settings.ts';
import type { Audit } from './audit/audit.ts';
import type { Config } from './config/schema.ts';
import { atKey, createSettingCheck, layOver, settingsHere } from './config/settings.ts';
import { createLiveDocument } from './kernel/live-documents.ts';
import type { Logger } from './kernel/logger.ts';
import type { Storage } from './storage/storage.ts';

interface Needs {
  config: Config;
  storage: Storage;
  /** Names of those there are. */
  themes: string[];
  /** Names of the languages there are. */
  locales: string[];
  log: Logger;
}

/** The configuration with what is set laid over it. */
export async function assembleSettings({ config: configured, storage, themes, locales, log }: Needs) {
  const live = createLiveDocument(storage.liveDocuments, SETTINGS_DOCUMENT, NO_SETTINGS);
  const check = createSettingCheck({ config: configured, themes, locales });
  check('brand.locale', configured.brand.locale);
  const definitions = settingsHere({ locales });
  await live.refresh();
  return {
    live,
    config: layOver(configured, createSettingValues({ live, check, log })),
    useCases: (audit: Audit) =>
      createSettings({ live, check, definitions, configured: (key) => atKey(configured, key), audit }),
  };
}
