/** Wires what admins do, and the doors to it. */
import { createAdmins } from './administration/admins.ts';
import { createAppWarnings } from './administration/app-warnings.ts';
import { createClientDocuments } from './administration/client-documents.ts';
import { createApps } from './administration/apps.ts';
import { createInviting } from './administration/invitations.ts';
import { createPeopleMoving } from './administration/moving.ts';
import { createPeople } from './administration/people.ts';
import type { TokenPreview } from './administration/token-preview.ts';
import { adminApiResource } from './administration/scopes.ts';
import { adminApi } from './admin/api.ts';
import { createAuthenticate } from './admin/authenticate.ts';
import { firstAdminRoutes } from './admin/first-admin.ts';
import { createOnce } from './admin/idempotency.ts';
import { registerAdminApi } from './admin/register.ts';
import { resourceMetadata } from './admin/resource-metadata.ts';
import { adminRoom } from './admin/room.ts';
import { ROUTES } from './admin/routes.ts';
import type { Backstage } from './assemble-backstage.ts';
import { assembleRoles } from './assemble-roles.ts';
import type { Config } from './config/schema.ts';
import type { Callers } from './http/caller.ts';
import type { Csrf } from './http/csrf.ts';
import type { Locales } from './http/locale.ts';
import type { Render } from './http/render.ts';
import type { Logger } from './kernel/logger.ts';
import type { Vault } from './kernel/secrets.ts';
import type { LiveToken } from './oidc/jwt-access-tokens.ts';
import { createSessionList } from './oidc/sessions.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';
import { version } from './version.ts';

type NotYet =
  | 'people'
  | 'inviting'
  | 'peopleMoving'
  | 'apps'
  | 'warnings'
  | 'clientDocuments'
  | 'admins'
  | 'roles'
  | 'groups'
  | 'claimTables'
  | 'commandPreview'
  | 'close';
type UseCaseNeeds = Omit<Backstage, NotYet> & {
  config: Config;
  records: SealedRecords;
  vault: Vault;
  locales: Pick<Locales, 'of'>;
};

/** The use cases, for the commands too. */
export function assembleAdministration(needs: UseCaseNeeds) {
  const { config, storage, mail, linking, records, vault, clients, accounts, logOuts, audit } = needs;
  const rolesAndTables = assembleRoles(needs);
  const { t: english } = needs.locales.of('en');
  const people = createPeople({
    ...needs,
    consents: storage.consents,
    passkeyStore: storage.passkeys,
    identitiesOf: (id) => linking.identitiesOf(id),
    mailAvailable: mail.mailer.available,
    sessions: createSessionList({ records, endings: logOuts.endings, vault }),
  });
  const admins = createAdmins({ people, accounts, records, audit, issuer: config.issuer });
  const inviting = createInviting(needs);
  const peopleMoving = createPeopleMoving(needs);
  const clientDocuments = createClientDocuments({
    ...needs,
    store: storage.clientDocuments,
    consents: storage.consents,
    endings: logOuts.endings,
  });
  return {
    people,
    inviting,
    peopleMoving,
    apps: createApps({ clients, audit }),
    warnings: createAppWarnings({
      clients,
      production: config.environment === 'production',
      say: ({ code, value, other = '' }) => english(`console.warning.${code}`, { value, other }),
    }),
    clientDocuments,
    admins,
    ...rolesAndTables,
  };
}

interface ApiNeeds extends Backstage {
  preview: TokenPreview;
  config: Config;
  records: SealedRecords;
  callers: Callers;
  findToken(token: string): Promise<LiveToken | undefined>;
  render: Render;
  csrf: Csrf;
  log: Logger;
}

/** The pages that admins come in by, and the API, registered among the APIs that tokens can be had for. */
export async function assembleAdmin(needs: ApiNeeds) {
  const { config, accounts, callers } = needs;
  const firstAdmin = firstAdminRoutes({
    ...needs,
    issuer: config.issuer,
    passwordMin: () => accounts.passwordMin(),
    passwordProblem: (password, email) => accounts.passwordProblem(password, email),
    doors: { account: config.portal.enabled, api: config.admin.api, console: config.admin.console },
    caller: callers.current,
  });
  const { issuer } = config;
  if (!config.admin.api) return { firstAdmin, api: undefined, metadata: undefined };
  const metadata = resourceMetadata({ issuer, resource: adminApiResource(issuer) });
  return { firstAdmin, api: await assembleApi(needs), metadata };
}

async function assembleApi(needs: ApiNeeds) {
  const { config, clients, accounts, records, limits, callers, findToken, render, log } = needs;
  const { issuer } = config;
  await registerAdminApi({ clients, issuer });
  const api = adminApi({
    origin: `${issuer}/admin/api/v1`,
    routes: ROUTES,
    useCases: needs,
    authenticate: createAuthenticate({ resource: adminApiResource(issuer), findToken, accounts }),
    limits,
    once: createOnce(records),
    caller: callers.current,
    actAs: callers.actAs,
    log,
  });
  return adminRoom({ issuer, version, routes: ROUTES, api, render });
}
