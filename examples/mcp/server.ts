/** An MCP server whose tools work for the person that an agent acts for: it accepts access tokens of Gatehouse made for it alone. See README.md. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import Koa from 'koa';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';

interface Claims extends JWTPayload {
  sub: string;
  client_id: string;
  scope?: string;
}

const notes = new Map<string, string[]>();
const notesOf = (sub: string) => notes.get(sub) ?? notes.set(sub, []).get(sub)!;
const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

/** The tools that one token is good for: what its scopes do not allow is not even offered. */
function toolsFor({ sub, client_id, scope = '' }: Claims): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  const may = (name: string) => scope.split(' ').includes(name);
  if (may('notes:read'))
    server.registerTool('list_notes', { description: 'The notes of the person' }, () =>
      text(JSON.stringify(notesOf(sub))),
    );
  if (may('notes:write'))
    server.registerTool(
      'add_note',
      { description: 'Adds a note', inputSchema: { note: z.string().max(1000) } },
      ({ note }) => {
        notesOf(sub).push(note);
        return text('added');
      },
    );
  server.registerTool('who_am_i', { description: 'For whom, and by which agent' }, () =>
    text(`${sub} by ${client_id}`),
  );
  return server;
}

/** Finds the key set by the provider's metadata; `jose` fetches it again by itself when keys rotate. */
async function discoverKeys(issuer: string) {
  const response = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
  if (!response.ok) throw new Error(`${issuer} answered with status ${response.status}`);
  const metadata = (await response.json()) as { issuer: string; jwks_uri: string };
  if (metadata.issuer !== issuer) throw new Error(`the provider calls itself ${metadata.issuer}, not ${issuer}`);
  return createRemoteJWKSet(new URL(metadata.jwks_uri));
}

/** @param env the settings of README.md. @returns the request handler. @throws when the provider cannot be reached. */
export async function createMcp(env: Record<string, string | undefined>) {
  const { ISSUER = 'http://localhost:3000', MCP_RESOURCE = 'http://localhost:3003/mcp' } = env;
  const resource = new URL(MCP_RESOURCE);
  const metadataPath = `/.well-known/oauth-protected-resource${resource.pathname.replace(/\/$/, '')}`;
  const scopes = ['notes:read', 'notes:write'];
  const keys = await discoverKeys(ISSUER);

  /** Where an agent learns which provider to ask, and for what (RFC 9728, section 5.1). */
  function refuse(ctx: Context, error?: string, description?: string): void {
    const reason = error === undefined ? '' : `error="${error}", error_description="${description}", `;
    ctx.status = 401;
    ctx.set(
      'WWW-Authenticate',
      `Bearer ${reason}resource_metadata="${resource.origin}${metadataPath}", scope="${scopes.join(' ')}"`,
    );
    ctx.body = { error: error ?? 'unauthorized', error_description: description ?? 'send an access token' };
  }

  const metadata: Middleware = async (ctx, next) => {
    if (ctx.path !== metadataPath) {
      await next();
      return;
    }
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.body = {
      resource: MCP_RESOURCE,
      authorization_servers: [ISSUER],
      scopes_supported: scopes,
      bearer_methods_supported: ['header'],
    };
  };

  const authenticate: Middleware = async (ctx, next) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(ctx.get('Authorization')) ?? [];
    if (token === undefined) return refuse(ctx);
    try {
      const { payload } = await jwtVerify<Claims>(token, keys, {
        issuer: ISSUER,
        audience: MCP_RESOURCE, // a token for another server is not ours to use, nor ours to pass on
        typ: 'at+jwt',
        algorithms: ['ES256', 'RS256'],
        requiredClaims: ['exp', 'sub', 'client_id'],
      });
      ctx.state['claims'] = payload;
    } catch (error) {
      if (!(error instanceof errors.JOSEError) || error.code === 'ERR_JWKS_TIMEOUT') throw error;
      return refuse(ctx, 'invalid_token', 'the token is expired or not for this server');
    }
    await next();
  };

  /** Without sessions: each request brings its token, and is served with what that is good for. */
  const serve: Middleware = async (ctx) => {
    if (ctx.path !== resource.pathname) return ctx.throw(404);
    // Pages on other sites that reach this address by another name (DNS rebinding).
    if (ctx.get('Origin') !== '' && ctx.get('Origin') !== resource.origin) return ctx.throw(403);
    const server = toolsFor(ctx.state['claims'] as Claims);
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    ctx.res.on('close', () => void server.close());
    await server.connect(transport);
    ctx.respond = false;
    await transport.handleRequest(ctx.req, ctx.res);
  };

  const app = new Koa();
  app.use(metadata).use(authenticate).use(serve);
  return app.callback();
}

if (import.meta.main) {
  const { createServer } = await import('node:http');
  const port = Number(process.env['PORT'] ?? 3003);
  const handle = await createMcp(process.env);
  createServer(handle).listen(port, 'localhost', () => console.log(`MCP at http://localhost:${port}/mcp`));
}
