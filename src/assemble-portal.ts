/** Wires the person's own page. */
import { signsInByMail } from './assemble-passkeys.ts';
import type { Backstage } from './assemble-backstage.ts';
import type { Config } from './config/schema.ts';
import type { Providers } from './federation/providers.ts';
import type { Callers } from './http/caller.ts';
import { createBrowserMark } from './http/browser-mark.ts';
import type { ContinueTo } from './http/continue.ts';
import type { Csrf } from './http/csrf.ts';
import { createDeviceCookie, REMEMBERED_COOKIE } from './http/device-cookie.ts';
import type { InProcessHandler } from './http/in-process.ts';
import type { Locales } from './http/locale.ts';
import type { Render } from './http/render.ts';
import type { Vault } from './kernel/secrets.ts';
import { issuerPath } from './kernel/urls.ts';
import type { Approvals } from './oidc/approvals.ts';
import { createConnections } from './oidc/connections.ts';
import { collectPersonalData } from './oidc/personal-data.ts';
import type { Sessions } from './oidc/sessions.ts';
import { createConnecting } from './portal/connecting.ts';
import { accountPlace } from './portal/place.ts';
import { portalSections } from './portal/sections.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';
import { visitRoom } from './visits/room.ts';

interface Needs extends Backstage {
  config: Config;
  approvals: Approvals | undefined;
  sessions: Sessions;
  records: SealedRecords;
  vault: Vault;
  providers: Providers;
  callers: Callers;
  locales: Locales;
  render: Render;
  continueTo: ContinueTo;
  csrf: Csrf;
  handle: () => InProcessHandler;
}

export function assemblePortal(needs: Needs) {
  const { config, storage, access, records, accounts, callers, factors, mail, providers } = needs;
  const { consents, identities } = storage;
  const { mailer } = mail;
  const https = config.issuer.startsWith('https:');

  /** Beside password and upstream logins. */
  async function hasOtherWayIn(accountId: string): Promise<boolean> {
    if ((await factors.of(accountId)).passkeys > 0) return true;
    return signsInByMail({ ...needs, mailer }, await accounts.get(accountId));
  }

  const sections = portalSections({
    ...needs,
    consents,
    identities,
    mailer,
    hasOtherWayIn,
    hasFactors: () => config.factors.policy !== 'off',
    rememberedCookie: createDeviceCookie({ https, ttl: config.factors.remember_device, name: REMEMBERED_COOKIE }),
    connecting: createConnecting({ ...needs, browserMark: createBrowserMark(https) }),
    connections: createConnections({ consents, records, access }),
    notices: needs.verification.notices,
    caller: callers.current,
    personalData: (accountId) =>
      collectPersonalData({ ...needs, consents, identities, passkeys: storage.passkeys }, accountId),
    providerName: (name) => providers.find(name)?.display_name ?? name,
    deleteAfter: config.portal.delete_after,
    issuer: config.issuer,
    base: issuerPath(config.issuer),
    brandName: () => config.brand.name,
  });
  return visitRoom({
    ...needs,
    receipts: needs.logOuts.receipts,
    place: accountPlace(() => config.brand.name),
    sections,
  });
}
