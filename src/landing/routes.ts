/** The landing page at the issuer's address: what this is, and where apps and people go from here. */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import type { Config } from '../config/schema.ts';
import type { Render } from '../http/render.ts';
import { routesOf } from '../http/routing.ts';
import { issuerPath } from '../kernel/urls.ts';

interface Needs {
  config: Pick<Config, 'issuer' | 'playground' | 'portal'>;
  render: Render;
  version: string;
  /** The demo person's sign-in, where there is one. */
  demo: { email: string; password: string } | null;
  /** Whether mails are shown at `/mailbox`. */
  mailbox: boolean;
}

export function landingRoutes({ config, render, version, demo, mailbox }: Needs): Middleware {
  const { issuer } = config;
  const page = {
    issuer,
    discovery_url: `${issuer}/.well-known/openid-configuration`,
    account_url: config.portal.enabled ? `${issuerPath(issuer)}/account` : null,
    playground_url: config.playground.enabled ? `${issuerPath(issuer)}/playground` : null,
    mailbox_url: mailbox ? `${issuerPath(issuer)}/mailbox` : null,
    demo,
    version,
  };
  const router = new Router();
  router.get('/', (ctx) => render(ctx, 'landing/index', page, { title: ['landing.title'], layout_kind: 'wide' }));
  return routesOf(router);
}
