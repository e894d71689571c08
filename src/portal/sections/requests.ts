import type { Account } from '../../accounts/account.ts';
import type { Audit } from '../../audit/audit.ts';
import { fields } from '../../http/body.ts';
import { displayHost } from '../../kernel/urls.ts';
import type { Approvals, Open } from '../../oidc/approvals.ts';
import { datesFor } from '../dates.ts';
import { parameterOf } from '../section.ts';
import type { Desk, Section, Visit } from '../section.ts';

interface Needs {
  /** Undefined where apps cannot ask. */
  approvals: Approvals | undefined;
  audit: Pick<Audit, 'record'>;
  base: string;
}

/** What apps ask the person for while they are elsewhere (CIBA): each is answered once, by this very person. */
export function requestsSection({ approvals, audit, base }: Needs): Section | undefined {
  if (!approvals) return undefined;

  const appOf = ({ client }: Open) => ({
    name: client.clientName ?? client.clientId,
    logo: client.logoUri === undefined ? null : `${base}/logos/${client.clientId}`,
    host: displayHost(client.clientUri),
    unverified: client['dynamically_registered'] === true,
  });

  const shown = (open: Open, tag: string, account: Account) => {
    const dates = datesFor(tag, account);
    return {
      id: open.id,
      app: appOf(open),
      binding_message: open.binding_message ?? null,
      address: open.address === 'unknown' ? null : open.address,
      at: dates.moment(open.at),
      until: dates.moment(open.until),
    };
  };

  /** @param gone the one that was looked for is not there. */
  async function list(desk: Desk, visit: Visit, gone = false): Promise<void> {
    const open = await approvals!.list(visit.account.id);
    await desk.show(
      visit,
      'requests',
      (_t, { tag }) => ({
        requests: open.map((one) => shown(one, tag, visit.account)),
        gone,
        action: desk.url('/requests'),
      }),
      { status: gone ? 404 : 200 },
    );
  }

  async function one(desk: Desk, visit: Visit): Promise<void> {
    const open = await approvals!.find(visit.account.id, parameterOf(visit, 'id'));
    if (!open) return list(desk, visit, true);
    const lacking = await approvals!.lacking(open, visit);
    if (lacking !== undefined && lacking !== 'unmet') return desk.prove(visit, lacking.acr);
    const { name } = appOf(open);
    const items = await approvals!.items(open, visit.account);
    await desk.show(
      visit,
      'request',
      (t, { tag }) => ({
        ...shown(open, tag, visit.account),
        items: items(t),
        unmet: lacking === 'unmet',
        action: `${desk.url('/requests')}/${open.id}`,
        back: desk.url('/requests'),
      }),
      { title: ['portal.request.title', { app: name }] },
    );
  }

  return {
    id: 'requests',
    group: 'access',
    path: '/requests',
    add(desk) {
      const answer = { back: '/requests/:id' };
      desk.get('/requests', (visit) => list(desk, visit));
      desk.get('/requests/:id', (visit) => one(desk, visit), { fresh: true });
      desk.post(
        '/requests/:id/approve',
        async (visit) => {
          const open = await approvals.find(visit.account.id, parameterOf(visit, 'id'));
          if (!open) return list(desk, visit, true);
          if ((await approvals.lacking(open, visit)) !== undefined) return one(desk, visit);
          await approvals.approve(open, visit, fields(visit.ctx, 'scope'));
          await audit.record('request_approved', visit.account.id, { detail: { client_id: open.client_id } });
          desk.done(visit, '/requests', 'request_approved', { app: appOf(open).name });
        },
        { ...answer, fresh: true },
      );
      desk.post(
        '/requests/:id/deny',
        async (visit) => {
          const open = await approvals.find(visit.account.id, parameterOf(visit, 'id'));
          if (!open) return list(desk, visit, true);
          await approvals.deny(open);
          await audit.record('request_denied', visit.account.id, { detail: { client_id: open.client_id } });
          desk.done(visit, '/requests', 'request_denied', { app: appOf(open).name });
        },
        answer,
      );
    },
  };
}
