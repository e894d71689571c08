import { Option } from 'commander';
import type { Command } from 'commander';
import { kindOf } from '../administration/apps.ts';
import { OPERATOR } from '../administration/principal.ts';
import { ACCESS_TOKEN_FORMATS, CLIENT_TYPES, publicClient } from '../clients/client.ts';
import type { AccessTokenFormat, ClientType } from '../clients/client.ts';
import { SIGNED_WITH } from '../clients/protocol.ts';
import type { SignedWith } from '../clients/protocol.ts';
import { addProtocolOptions, toProtocol } from './client-protocol.ts';
import type { ProtocolOptions } from './client-protocol.ts';
import { clientSecretCommands, withSecret } from './client-secrets.ts';
import { every } from './every.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

interface CreateOptions extends ProtocolOptions {
  type: ClientType;
  name: string;
  redirectUri?: string[];
  postLogoutRedirectUri?: string[];
  backchannelLogoutUri?: string;
  backchannelLogoutSessionRequired?: boolean;
  frontchannelLogoutUri?: string;
  frontchannelLogoutSessionRequired?: boolean;
  scope?: string[];
  firstParty?: boolean;
  resource?: string;
  accessTokenFormat?: AccessTokenFormat;
  scopeDescription?: string[];
  accessTokenLifetime?: string;
  accessTokenSigningAlg?: SignedWith;
  defaultApi?: string;
  alwaysIssueRefreshToken?: boolean;
  clientUri?: string;
  logoUri?: string;
  policyUri?: string;
  tosUri?: string;
  initiateLoginUri?: string;
  identityProvider?: string[];
  theme?: string;
  defaultAcrValue?: string[];
  idTokenSignedResponseAlg?: SignedWith;
  json?: boolean;
}

const COLUMNS = ['client_id', 'type', 'client_name', 'redirect_uris', 'created_at'];
const collect = (value: string, before: string[] = []) => [...before, value];

/** `notes:read=Read your notes`. */
const described = (given: string[] | undefined): Record<string, string> | undefined =>
  given && Object.fromEntries(given.map((one) => [one.split('=', 1)[0]!, one.slice(one.indexOf('=') + 1)]));

function toInput(options: CreateOptions) {
  return {
    type: options.type,
    name: options.name,
    redirect_uris: options.redirectUri ?? [],
    post_logout_redirect_uris: options.postLogoutRedirectUri ?? [],
    backchannel_logout_uri: options.backchannelLogoutUri,
    backchannel_logout_session_required: options.backchannelLogoutSessionRequired ?? false,
    frontchannel_logout_uri: options.frontchannelLogoutUri,
    frontchannel_logout_session_required: options.frontchannelLogoutSessionRequired ?? false,
    scope: options.scope?.flatMap((scope) => scope.split(/\s+/)).join(' '),
    first_party: options.firstParty ?? false,
    resource: options.resource,
    access_token_format: options.accessTokenFormat,
    scope_descriptions: described(options.scopeDescription),
    access_token_lifetime: options.accessTokenLifetime === undefined ? undefined : Number(options.accessTokenLifetime),
    access_token_signing_alg: options.accessTokenSigningAlg,
    default_resource: options.defaultApi,
    always_issue_refresh_token: options.alwaysIssueRefreshToken ?? false,
    client_uri: options.clientUri,
    logo_uri: options.logoUri,
    policy_uri: options.policyUri,
    tos_uri: options.tosUri,
    initiate_login_uri: options.initiateLoginUri,
    identity_providers: options.identityProvider,
    theme: options.theme,
    default_acr_values: options.defaultAcrValue,
    id_token_signed_response_alg: options.idTokenSignedResponseAlg,
    protocol: toProtocol(options),
  };
}

/** `client create|list|show|delete`, and what is done to its secrets. */
export function clientCommands(program: Command, session: Session, output: Output): void {
  const client = program
    .command('client')
    .description('Apps that sign people in here, and APIs that accept our tokens.');

  addProtocolOptions(client.command('create'))
    .description('Register a client. Its secret is shown this once.')
    .addOption(new Option('--type <type>', 'what it is').choices(CLIENT_TYPES).makeOptionMandatory())
    .requiredOption('--name <name>', 'name that people see')
    .option('--redirect-uri <uri>', 'where people come back to; may be repeated', collect)
    .option('--post-logout-redirect-uri <uri>', 'where people come back to after log-out; may be repeated', collect)
    .option('--backchannel-logout-uri <url>', 'where we tell it that a session has ended, by a signed log-out token')
    .option('--backchannel-logout-session-required', 'it needs the sid in that token')
    .option('--frontchannel-logout-uri <url>', 'the same by a frame in the browser, for apps that have no other way')
    .option('--frontchannel-logout-session-required', 'it needs iss and sid in that address')
    .option('--scope <scope>', 'scope it may ask for, or of an API: offers; may be repeated', collect)
    .option('--first-party', 'skips consent')
    .option('--resource <uri>', 'of an API: its identifier, the audience of its tokens')
    .addOption(
      new Option(
        '--access-token-format <format>',
        'of an API: jwt (default), or opaque, so that it sees at once what was revoked',
      ).choices(ACCESS_TOKEN_FORMATS),
    )
    .option(
      '--scope-description <scope=text>',
      'of an API: what people read of one of its scopes, such as "notes:read=Read your notes"; may be repeated',
      collect,
    )
    .option('--access-token-lifetime <seconds>', 'of an API: how long its tokens live')
    .addOption(new Option('--access-token-signing-alg <alg>', 'of an API: signature of its JWTs').choices(SIGNED_WITH))
    .option('--default-api <resource>', 'identifier of the API that requests without a resource are for')
    .option(
      '--always-issue-refresh-token',
      'of a web client: a refresh token without offline_access, ending with the session',
    )
    .option('--client-uri <url>', 'home page')
    .option('--logo-uri <url>', 'logo (PNG, JPEG, WebP or GIF)')
    .option('--policy-uri <url>', 'privacy policy')
    .option('--tos-uri <url>', 'terms of service')
    .option('--initiate-login-uri <url>', 'where the app begins a sign-in')
    .option('--theme <name>', 'theme of the pages that are about it')
    .option(
      '--identity-provider <name>',
      'upstream provider that its people may use; may be repeated; all if none',
      collect,
    )
    .option(
      '--default-acr-value <acr>',
      'level that its sign-ins must reach, such as urn:gatehouse:acr:2; may be repeated: one of them is enough',
      collect,
    )
    .addOption(new Option('--id-token-signed-response-alg <alg>', 'signature of its ID tokens').choices(SIGNED_WITH))
    .option('--json', 'print one JSON document')
    .action((options: CreateOptions) =>
      session(async ({ apps }) => output.one(withSecret(await apps.register(OPERATOR, toInput(options))), options)),
    );

  client
    .command('list')
    .description('All clients, oldest first, or those that are searched for.')
    .option('--search <words>', 'words that each begin one of the name, the id or the identifier')
    .option('--json', 'print one JSON document')
    .action((options: { search?: string; json?: boolean }) =>
      session(async ({ clients }) => {
        const found = await every((page) => clients.search({ ...page, text: options.search }));
        output.many(found.map(publicClient), COLUMNS, options);
      }),
    );

  client
    .command('show <client_id>')
    .description('Everything about one client but its secret.')
    .option('--json', 'print one JSON document')
    .action((id: string, options: { json?: boolean }) =>
      session(async ({ clients }) => output.one(publicClient(await clients.get(id)), options)),
    );

  client
    .command('delete <client_id>')
    .description('Remove a client; its tokens stop working.')
    .option('--json', 'print one JSON document')
    .action((id: string, options: { json?: boolean }) =>
      session(async ({ clients, apps }) => {
        await apps.remove(OPERATOR, kindOf(await clients.get(id)), id);
        output.one({ client_id: id, deleted: true }, options);
      }),
    );

  clientSecretCommands(client, session, output);
}
