/** The list of all that the admin API does: what is served, guarded, documented and tested is this. */
import { auditRoutes } from './routes/audit.ts';
import { clientDocumentRoutes } from './routes/client-documents.ts';
import { apiRoutes, clientRoutes } from './routes/clients.ts';
import { movingRoutes } from './routes/moving.ts';
import { invitationRoutes } from './routes/invitations.ts';
import { keyRoutes } from './routes/keys.ts';
import { providerRoutes } from './routes/providers.ts';
import { claimTableRoutes, groupRoutes, previewRoutes, roleRoutes } from './routes/roles.ts';
import { settingRoutes } from './routes/settings.ts';
import { sessionRoutes, userRoutes } from './routes/users.ts';
import type { Route } from './route.ts';

export const ROUTES: Route[] = [
  ...userRoutes,
  ...invitationRoutes,
  ...movingRoutes,
  ...sessionRoutes,
  ...clientRoutes,
  ...apiRoutes,
  ...clientDocumentRoutes,
  ...keyRoutes,
  ...providerRoutes,
  ...roleRoutes,
  ...groupRoutes,
  ...claimTableRoutes,
  ...previewRoutes,
  ...settingRoutes,
  ...auditRoutes,
];
