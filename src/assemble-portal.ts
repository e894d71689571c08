/** Wires the person's own page. */
import type { Backstage } from './assemble.ts';
import type { Config } from './config/schema.ts';
import type { Csrf } from './http/csrf.ts';
import type { InProcessHandler } from './http/in-process.ts';
import type { Render } from './http/render.ts';
import { issuerPath } from './kernel/urls.ts';
import { createConnections } from './oidc/connections.ts';
import type { Sessions } from './oidc/sessions.ts';
import { portalRoutes } from './portal/routes.ts';
import { portalSections } from './portal/sections.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';

interface Needs extends Backstage {
  config: Config;
  sessions: Sessions;
  records: SealedRecords;
  render: Render;
  csrf: Csrf;
  handle: () => InProcessHandler;
}

export function assemblePortal(needs: Needs) {
  const { config, storage, access, records } = needs;
  const { consents } = storage;
  const connections = createConnections({ consents, records, access });
  const sections = portalSections({ ...needs, consents, connections, base: issuerPath(config.issuer) });
  return portalRoutes({ ...needs, sections });
}
