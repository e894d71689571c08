/** Wires the pages of a sign-in, and those that mails, apps and log-outs lead to. */
import type { Backstage } from './assemble-backstage.ts';
import { noteConsents } from './assemble-audit.ts';
import { keepingApps } from './assemble-documents.ts';
import type { Config } from './config/schema.ts';
import { invitationRoutes } from './interaction/invitation-routes.ts';
import { logoRoutes } from './interaction/logos.ts';
import { mailedLinkRoutes } from './interaction/mailed-links.ts';
import type { InteractionNeeds } from './interaction/needs.ts';
import { interactionRoutes } from './interaction/routes.ts';
import { signedOutRoutes } from './interaction/signed-out.ts';
import { issuerPath } from './kernel/urls.ts';

type Pages = Pick<
  InteractionNeeds,
  | 'provider'
  | 'directory'
  | 'visitor'
  | 'restarts'
  | 'note'
  | 'render'
  | 'language'
  | 'csrf'
  | 'continueTo'
  | 'afterwards'
  | 'records'
  | 'locales'
  | 'log'
>;

interface Needs extends Backstage, Pages {
  config: Config;
  documents: Parameters<typeof keepingApps>[1];
}

export function assembleInteraction(needs: Needs) {
  const { config, documents, storage, accounts, clients, limits, visitor, csrf, locales, render } = needs;
  const { verification, mail, audit, access, logOuts, continueTo, log } = needs;
  const base = issuerPath(config.issuer);
  return {
    interaction: interactionRoutes({
      ...needs,
      consents: keepingApps(noteConsents(storage.consents, audit), documents),
      endings: logOuts.endings,
      mailer: mail.mailer,
      choose: access.chooseNewPassword,
      async keep(accountId) {
        if (await accounts.keep(accountId)) await audit.record('deletion_cancelled', accountId);
      },
    }),
    invitations: invitationRoutes({
      ...needs,
      base,
      home: config.portal.enabled ? `${base}/account` : null,
    }),
    mailedLinks: mailedLinkRoutes({ verification, accounts, limits, visitor, csrf, locales, render, base }),
    signedOut: signedOutRoutes({ receipts: logOuts.receipts, render, continueTo }),
    logos: logoRoutes({ clients, allowPrivate: config.outbound.allow_private, log }),
  };
}
