/** Wires what admins do, and the doors to it. */
import { createApps } from './administration/apps.ts';
import { createPeople } from './administration/people.ts';
import { adminApiResource } from './administration/scopes.ts';
import { adminApi } from './admin/api.ts';
import { createAuthenticate } from './admin/authenticate.ts';
import { createOnce } from './admin/idempotency.ts';
import { registerAdminApi } from './admin/register.ts';
import { adminRoom } from './admin/room.ts';
import { ROUTES } from './admin/routes.ts';
import type { Backstage } from './assemble.ts';
import type { Config } from './config/schema.ts';
import type { Callers } from './http/caller.ts';
import type { Logger } from './kernel/logger.ts';
import type { Vault } from './kernel/secrets.ts';
import type { LiveToken } from './oidc/jwt-access-tokens.ts';
import { createSessionList } from './oidc/sessions.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';
import { version } from './version.ts';

type UseCaseNeeds = Omit<Backstage, 'people' | 'apps' | 'audit' | 'close'> & { records: SealedRecords; vault: Vault };

/** The use cases, for the commands too. */
export function assembleAdministration(needs: UseCaseNeeds) {
  const { storage, mail, linking, records, vault, clients } = needs;
  const people = createPeople({
    ...needs,
    consents: storage.consents,
    passkeyStore: storage.passkeys,
    identitiesOf: (id) => linking.identitiesOf(id),
    mailAvailable: mail.mailer.available,
    sessions: createSessionList({ records, vault }),
  });
  return { people, apps: createApps({ clients }) };
}

interface ApiNeeds extends Backstage {
  config: Config;
  records: SealedRecords;
  callers: Callers;
  findToken(token: string): Promise<LiveToken | undefined>;
  log: Logger;
}

/** The API, and its registration among the APIs that tokens can be had for. */
export async function assembleAdminApi(needs: ApiNeeds) {
  const { config, clients, accounts, records, limits, callers, findToken, people, apps, log } = needs;
  const { issuer } = config;
  await registerAdminApi({ clients, issuer });
  const api = adminApi({
    origin: `${issuer}/admin/api/v1`,
    routes: ROUTES,
    useCases: { people, apps },
    authenticate: createAuthenticate({ resource: adminApiResource(issuer), findToken, accounts }),
    limits,
    once: createOnce(records),
    caller: callers.current,
    actAs: callers.actAs,
    log,
  });
  return adminRoom({ issuer, version, routes: ROUTES, api });
}
