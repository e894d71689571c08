/** A place put together: who may see it, how they get in, and its sections. To be mounted at `<issuer path><place>`. */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Audit } from '../audit/audit.ts';
import type { Clients } from '../clients/clients.ts';
import type { Config } from '../config/schema.ts';
import type { Factors } from '../factors/factors.ts';
import { field, readForm } from '../http/body.ts';
import type { ContinueTo } from '../http/continue.ts';
import type { Csrf } from '../http/csrf.ts';
import type { InProcessHandler } from '../http/in-process.ts';
import type { Render } from '../http/render.ts';
import { routesOf } from '../http/routing.ts';
import { roomSession } from '../http/session.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { Receipts } from '../logout/receipts.ts';
import type { Sessions } from '../oidc/sessions.ts';
import { receiptPath } from '../oidc/sign-out.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { createAdmission } from './admission.ts';
import { registerOwnClient } from './client.ts';
import { createDesks } from './desk.ts';
import { homeOf } from './place.ts';
import type { Place } from './place.ts';
import { endVisitSession } from './session.ts';
import type { Section, VisitRoute } from './visit.ts';
import { createWayIn, goTo } from './way-in.ts';

export interface RoomNeeds {
  config: Pick<Config, 'issuer' | 'lifetimes' | 'factors' | 'portal'>;
  accounts: { find(id: string): Promise<Account | undefined> };
  clients: Pick<Clients, 'find' | 'register' | 'delete'>;
  sessions: Sessions;
  receipts: Pick<Receipts, 'issue'>;
  records: SealedRecords;
  vault: Pick<Vault, 'seal' | 'open'>;
  factors: Pick<Factors, 'of'>;
  render: Render;
  continueTo: ContinueTo;
  csrf: Csrf;
  audit: Pick<Audit, 'record'>;
  place: Place;
  sections: Section[];
  /** The whole app's request handler, asked for when it is first needed. */
  handle: () => InProcessHandler;
}

export interface Room {
  middleware: Middleware;
  routes: VisitRoute[];
}

export async function visitRoom(needs: RoomNeeds): Promise<Room> {
  const { config, clients, sessions, receipts, records, csrf, audit, place, sections } = needs;
  const { issuer } = config;
  await registerOwnClient({ clients, issuer, place });
  const router = new Router();
  const routes: VisitRoute[] = [{ method: 'POST', path: '/sign-out', fresh: false, strong: false }];
  const wayIn = createWayIn({ ...needs, issuer });
  const admission = createAdmission({ ...needs, wayIn });
  const deskOf = createDesks({ ...needs, issuer, router, routes, wayIn, admission });

  router.use(
    roomSession({
      records,
      kind: place.kind,
      cookie: place.cookie,
      https: issuer.startsWith('https:'),
      ttl: () => config.lifetimes.session,
    }),
  );
  router.get('/callback', (ctx) => wayIn.comeBack(ctx));
  router.get('/signed-out', (ctx) => wayIn.outside(ctx, 'signed_out', 200));
  for (const reason of place.outside) router.get(`/${reason}`, (ctx) => wayIn.outside(ctx, reason, 200));
  router.post('/sign-out', readForm(), async (ctx) => {
    csrf.verify(ctx, field(ctx, '_csrf'));
    const visit = await admission.visitOf(ctx);
    const ended = visit && (await sessions.endThis(visit.session.uid));
    if (visit) await audit.record('sign_out', visit.account.id);
    const ticket = ended && (await receipts.issue(ended));
    endVisitSession(ctx);
    goTo(ctx, ticket === undefined ? `${homeOf(issuer, place)}/signed-out` : receiptPath(issuer, ticket));
  });
  for (const section of sections) section.add(deskOf(section));
  return { middleware: routesOf(router), routes };
}
