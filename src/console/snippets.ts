/** What to write into an app so that it signs people in here: with its own values, and never with its secret. */
import { authMethod } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import { js, sh } from './snippet-template.ts';
import type { Snippet, Template } from './snippet-template.ts';
import { SERVER_SIDE } from './snippets-server-side.ts';

const openidClient: Template = {
  id: 'openid-client',
  name: 'openid-client',
  file: 'sign-in.js',
  callback: null,
  text: ({ id, issuer, redirect, secret }) => `import * as client from "openid-client";

const config = await client.discovery(
  new URL(${js(issuer)}),
  ${js(id)},
  undefined,
  ${secret ? 'client.ClientSecretBasic(process.env.CLIENT_SECRET)' : 'client.None()'},
);

// Keep the verifier and the state in the browser's session until it comes back.
const code_verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: ${js(redirect)},
  scope: "openid profile email",
  code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
  code_challenge_method: "S256",
  state,
});

// At the redirect URI:
const tokens = await client.authorizationCodeGrant(config, currentUrl, {
  pkceCodeVerifier: code_verifier,
  expectedState: state,
  idTokenExpected: true,
});
console.log(tokens.claims().sub);
`,
};

const service: Template = {
  id: 'openid-client',
  name: 'openid-client',
  file: 'token.js',
  callback: null,
  text: ({ id, issuer }) => `import * as client from "openid-client";

const config = await client.discovery(
  new URL(${js(issuer)}),
  ${js(id)},
  undefined,
  client.ClientSecretBasic(process.env.CLIENT_SECRET),
);
const { access_token } = await client.clientCredentialsGrant(config);
`,
};

const curl: Template = {
  id: 'curl',
  name: 'curl',
  file: 'token.sh',
  callback: null,
  text: ({ id, issuer }) => `curl --user ${sh(id)}:"$CLIENT_SECRET" \\
  --data grant_type=client_credentials \\
  ${sh(`${issuer}/token`)}
`,
};

function templatesFor(type: Client['type']): Template[] {
  if (type === 'service') return [service, curl];
  return type === 'web' ? [openidClient, ...SERVER_SIDE] : [openidClient];
}

/** Those that suit the kind of app. */
export function snippetsFor(client: Client, issuer: string): Snippet[] {
  const [first = 'https://app.example.com/callback'] = client.redirect_uris;
  const pathOf = (uri: string) => URL.parse(uri)?.pathname ?? '';
  return templatesFor(client.type).map(({ text, ...template }) => {
    const { callback } = template;
    const own = client.redirect_uris.find((uri) => callback !== null && pathOf(uri).endsWith(callback));
    const redirect = own ?? first;
    const url = URL.parse(redirect);
    const origin = url && url.origin !== 'null' ? url.origin : 'https://app.example.com';
    const values = { id: client.id, issuer, redirect, origin, secret: authMethod(client) !== 'none' };
    return { ...template, text: text(values), registered: callback === null || own !== undefined };
  });
}
