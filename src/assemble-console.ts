/** Wires the pages for admins. */
import { createImportRuns } from './administration/import-runs.ts';
import type { TokenPreview } from './administration/token-preview.ts';
import type { Backstage } from './assemble-backstage.ts';
import type { Config } from './config/schema.ts';
import { consolePlace } from './console/place.ts';
import { consoleSections } from './console/sections.ts';
import type { Providers } from './federation/providers.ts';
import type { Callers } from './http/caller.ts';
import type { ContinueTo } from './http/continue.ts';
import type { Csrf } from './http/csrf.ts';
import type { InProcessHandler } from './http/in-process.ts';
import type { Render } from './http/render.ts';
import type { Vault } from './kernel/secrets.ts';
import type { Sessions } from './oidc/sessions.ts';
import type { Trials } from './oidc/trials.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';
import { visitRoom } from './visits/room.ts';

interface Needs extends Backstage {
  preview: TokenPreview;
  config: Config;
  sessions: Sessions;
  records: SealedRecords;
  vault: Vault;
  providers: Providers;
  themes: { all: { name: string }[] };
  callers: Callers;
  render: Render;
  continueTo: ContinueTo;
  trials: Trials;
  csrf: Csrf;
  handle: () => InProcessHandler;
}

export function assembleConsole(needs: Needs) {
  const { config, accounts, providers, mail, callers } = needs;
  const sections = consoleSections({
    ...needs,
    passwordMin: () => accounts.passwordMin(),
    passwordProblem: (password, email) => accounts.passwordProblem(password, email),
    providerName: (name) => providers.find(name)?.display_name ?? name,
    mailAvailable: mail.mailer.available,
    issuer: config.issuer,
    importRuns: createImportRuns(needs),
  });
  const place = consolePlace({ ...needs, actAs: callers.actAs });
  return visitRoom({ ...needs, receipts: needs.logOuts.receipts, place, sections });
}
