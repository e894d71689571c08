/** What a program that knows only the address of the API learns: which provider gives tokens for it, and with which scopes (RFC 9728). */
import type { Middleware } from 'koa';
import { ADMIN_SCOPE_NAMES } from '../administration/scopes.ts';

/** @returns where the metadata of a resource are, the well-known part inserted before its path (section 3.1). */
export function metadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}/.well-known/oauth-protected-resource${pathname.replace(/\/$/, '')}`;
}

/** Answers at that path, for programs in browsers too. */
export function resourceMetadata({ issuer, resource }: { issuer: string; resource: string }): Middleware {
  const { pathname } = new URL(metadataUrl(resource));
  const body = {
    resource,
    authorization_servers: [issuer],
    scopes_supported: ADMIN_SCOPE_NAMES,
    bearer_methods_supported: ['header'],
    resource_name: 'Gatehouse admin API',
    resource_documentation: resource,
  };
  return async (ctx, next) => {
    if (ctx.path !== pathname) {
      await next();
      return;
    }
    ctx.set({ 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=3600' });
    ctx.body = body;
  };
}
