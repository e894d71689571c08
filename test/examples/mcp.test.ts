import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMcp } from '../../examples/mcp/server.ts';
import { Browser } from '../support/browser.ts';
import { documentSite } from '../support/client-documents.ts';
import type { Site } from '../support/client-documents.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import type { Person } from '../support/journey.ts';
import { clickThrough, relyingParty } from '../support/relying-party.ts';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';

const CALLBACK = 'http://127.0.0.1:33418/callback';

/** What an agent keeps for one person, as the SDK wants it. */
function agent(clientMetadataUrl: string) {
  let information: OAuthClientInformationMixed | undefined;
  let tokens: OAuthTokens | undefined;
  let verifier = '';
  const asked: URL[] = [];
  const provider: OAuthClientProvider = {
    clientMetadataUrl,
    redirectUrl: CALLBACK,
    clientMetadata: { client_name: 'Agent', redirect_uris: [CALLBACK] },
    clientInformation: () => information,
    saveClientInformation: (given) => void (information = given),
    tokens: () => tokens,
    saveTokens: (given) => void (tokens = given),
    redirectToAuthorization: (url) => void asked.push(url),
    saveCodeVerifier: (given) => void (verifier = given),
    codeVerifier: () => verifier,
  };
  return { provider, asked, tokens: () => tokens };
}

describe('the example MCP server', () => {
  let gatehouse: Running;
  let server: Listening;
  let other: Listening;
  let site: Site;
  let person: Person;
  const address = (of: Listening) => new URL(`${of.origin}/mcp`);
  beforeAll(async () => {
    site = await documentSite();
    gatehouse = await startGatehouse({
      GATEHOUSE_CLIENT_DOCUMENTS_MODE: 'open',
      GATEHOUSE_CLIENT_DOCUMENTS_SCOPES: 'openid,offline_access,notes:read',
      GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true',
    });
    person = await gatehouse.person();
    [server, other] = [await listen(), await listen()];
    for (const one of [server, other]) {
      const resource = address(one).href;
      await gatehouse.app({ type: 'api', name: 'Notes over MCP', resource, scope: 'notes:read notes:write' });
      one.serve(await createMcp({ ISSUER: gatehouse.issuer, MCP_RESOURCE: resource }));
    }
  });
  afterAll(async () => {
    await Promise.all([server.stop(), other.stop()]);
    await gatehouse.stop();
    await site.stop();
  });

  /** Connects as an agent that knows only the address; the person signs in and allows where it asks. */
  async function connect(known: ReturnType<typeof agent>, to = server) {
    const client = new Client({ name: 'agent', version: '1.0.0' });
    const transport = () => new StreamableHTTPClientTransport(address(to), { authProvider: known.provider });
    const first = transport();
    try {
      await client.connect(first);
      return client;
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
    }
    const callback = await clickThrough(new Browser(gatehouse.issuer), known.asked.at(-1)!, person);
    await first.finishAuth(callback.searchParams.get('code')!);
    await client.connect(transport());
    return client;
  }

  it('is found, signed in to and used by the SDK’s client, which nobody registered', async () => {
    const { client_id } = site.publish('/agent.json', { redirect_uris: [CALLBACK] });
    const known = agent(client_id);
    const client = await connect(known);
    expect(Object.fromEntries(known.asked[0]!.searchParams)).toMatchObject({
      client_id,
      resource: address(server).href,
      scope: expect.stringContaining('notes:read') as string,
      code_challenge_method: 'S256',
    });
    // The scope that such apps may not have here is not in the token, nor is the tool that needs it offered.
    const claims = decodeJwt(known.tokens()!.access_token);
    expect(claims).toMatchObject({ aud: address(server).href, client_id, scope: 'notes:read' });
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['list_notes', 'who_am_i']);
    const { content } = await client.callTool({ name: 'who_am_i' });
    expect(content).toEqual([{ type: 'text', text: `${person.sub} by ${client_id}` }]);
    await client.close();
  });

  it('takes no token that was made for another server', async () => {
    const { client_id } = site.publish('/roaming.json', { redirect_uris: [CALLBACK] });
    const known = agent(client_id);
    await (await connect(known, other)).close();
    const { access_token } = known.tokens()!;
    const call = (to: Listening) =>
      fetch(address(to), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${access_token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
    expect((await call(other)).status).toBe(200);
    const refused = await call(server);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(
      new RegExp(
        `error="invalid_token".*resource_metadata="${server.origin}/.well-known/oauth-protected-resource/mcp"`,
      ),
    );
  });

  it('serves an app that is registered all the same, with the tools that its scopes allow', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const { access_token } = await rp.signIn(person, {
      scope: 'openid notes:read notes:write',
      resource: address(server).href,
    });
    const client = new Client({ name: 'app', version: '1.0.0' });
    const transport = new StreamableHTTPClientTransport(address(server), {
      requestInit: { headers: { authorization: `Bearer ${access_token}` } },
    });
    await client.connect(transport);
    await client.callTool({ name: 'add_note', arguments: { note: 'Water the plants' } });
    expect((await client.callTool({ name: 'list_notes' })).content).toEqual([
      { type: 'text', text: '["Water the plants"]' },
    ]);
    await client.close();
  });

  it('refuses pages of other sites', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const { access_token } = await rp.signIn(person, { scope: 'openid notes:read', resource: address(server).href });
    const headers = { authorization: `Bearer ${access_token}`, origin: 'https://evil.example' };
    expect((await fetch(address(server), { method: 'POST', headers })).status).toBe(403);
  });
});
