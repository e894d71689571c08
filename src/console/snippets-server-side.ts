/** Snippets for apps that run on a server: libraries of theirs, proxies before them, and programs that sign people in by themselves. */
import { js, ruby, sh } from './snippet-template.ts';
import type { Template } from './snippet-template.ts';

export const SERVER_SIDE: Template[] = [
  {
    id: 'auth-js',
    name: 'Auth.js',
    file: 'auth.ts',
    callback: '/api/auth/callback/gatehouse',
    text: ({ id, issuer }) => `import NextAuth from "next-auth";

export const { handlers, auth, signIn, signOut } = NextAuth({
  providers: [
    {
      id: "gatehouse",
      name: "Gatehouse",
      type: "oidc",
      issuer: ${js(issuer)},
      clientId: ${js(id)},
      clientSecret: process.env.CLIENT_SECRET,
      checks: ["pkce", "state"],
    },
  ],
});
`,
  },
  {
    id: 'passport',
    name: 'Passport',
    file: 'passport.js',
    callback: null,
    text: ({ id, issuer, redirect }) => `import * as client from "openid-client";
import { Strategy } from "openid-client/passport";
import passport from "passport";

const config = await client.discovery(
  new URL(${js(issuer)}),
  ${js(id)},
  undefined,
  client.ClientSecretBasic(process.env.CLIENT_SECRET),
);

passport.use(
  "gatehouse",
  new Strategy(
    { config, scope: "openid profile email", callbackURL: ${js(redirect)} },
    (tokens, verified) => verified(null, tokens.claims()),
  ),
);
`,
  },
  {
    id: 'spring',
    name: 'Spring Security',
    file: 'application.yaml',
    callback: '/login/oauth2/code/gatehouse',
    text: ({ id, issuer }) => `spring:
  security:
    oauth2:
      client:
        registration:
          gatehouse:
            client-id: ${js(id)}
            client-secret: \${CLIENT_SECRET}
            scope: openid, profile, email
        provider:
          gatehouse:
            issuer-uri: ${js(issuer)}

# Before Spring Security 7, turn PKCE on for a client with a secret:
#   var resolver = new DefaultOAuth2AuthorizationRequestResolver(registrations, "/oauth2/authorization");
#   resolver.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());
#   http.oauth2Login(login -> login.authorizationEndpoint(at -> at.authorizationRequestResolver(resolver)));
`,
  },
  {
    id: 'oauth2-proxy',
    name: 'oauth2-proxy',
    file: 'oauth2-proxy.cfg',
    callback: '/oauth2/callback',
    text: ({ id, issuer, origin }) => `provider = "oidc"
oidc_issuer_url = ${js(issuer)}
client_id = ${js(id)}
# client_secret: set OAUTH2_PROXY_CLIENT_SECRET
redirect_url = ${js(`${origin}/oauth2/callback`)}
code_challenge_method = "S256"
scope = "openid email profile"
email_domains = ["*"]
`,
  },
  {
    id: 'mod-auth-openidc',
    name: 'mod_auth_openidc',
    file: 'httpd.conf',
    callback: null,
    text: ({ id, issuer, redirect }) => `OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${id}
OIDCClientSecret "\${CLIENT_SECRET}"
OIDCRedirectURI ${redirect}
OIDCCryptoPassphrase "\${CRYPTO_PASSPHRASE}"
OIDCPKCEMethod S256
OIDCScope "openid profile email"

<Location />
  AuthType openid-connect
  Require valid-user
</Location>
`,
  },
  {
    id: 'grafana',
    name: 'Grafana',
    file: 'grafana.ini',
    callback: '/login/generic_oauth',
    text: ({ id, issuer }) => `[auth.generic_oauth]
enabled = true
name = Gatehouse
client_id = ${id}
client_secret = $__env{CLIENT_SECRET}
scopes = openid profile email roles
auth_url = ${issuer}/auth
token_url = ${issuer}/token
api_url = ${issuer}/userinfo
use_pkce = true
role_attribute_path = contains(roles[*], 'admin') && 'Admin' || 'Viewer'
`,
  },
  {
    id: 'nextcloud',
    name: 'Nextcloud',
    file: 'occ',
    callback: '/apps/user_oidc/code',
    text: ({ id, issuer }) => `php occ app:install user_oidc
php occ user_oidc:provider Gatehouse \\
  --clientid=${sh(id)} \\
  --clientsecret="$CLIENT_SECRET" \\
  --discoveryuri=${sh(`${issuer}/.well-known/openid-configuration`)} \\
  --scope='openid profile email' \\
  --unique-uid=0 \\
  --mapping-uid=sub
php occ config:system:set user_oidc use_pkce --type=boolean --value=true
`,
  },
  {
    id: 'gitlab',
    name: 'GitLab',
    file: 'gitlab.rb',
    callback: '/users/auth/openid_connect/callback',
    text: ({ id, issuer, origin }) => `gitlab_rails['omniauth_providers'] = [
  {
    name: 'openid_connect',
    label: 'Gatehouse',
    args: {
      name: 'openid_connect',
      scope: ['openid', 'profile', 'email'],
      response_type: 'code',
      issuer: ${ruby(issuer)},
      discovery: true,
      client_auth_method: 'basic',
      uid_field: 'sub',
      pkce: true,
      client_options: {
        identifier: ${ruby(id)},
        secret: ENV['CLIENT_SECRET'],
        redirect_uri: ${ruby(`${origin}/users/auth/openid_connect/callback`)}
      }
    }
  }
]
`,
  },
  {
    id: 'argo-cd',
    name: 'Argo CD',
    file: 'argocd-cm.yaml',
    callback: '/auth/callback',
    text: ({ id, issuer, origin }) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
  namespace: argocd
data:
  url: ${js(origin)}
  oidc.config: |
    name: Gatehouse
    issuer: ${js(issuer)}
    clientID: ${js(id)}
    clientSecret: $oidc.gatehouse.clientSecret
    enablePKCEAuthentication: true
    requestedScopes: ["openid", "profile", "email", "roles"]
`,
  },
];
