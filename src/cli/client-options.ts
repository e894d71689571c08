/** The flags of `client create` and `client update`. */
import { Option } from 'commander';
import type { DetailType } from '../clients/detail-types.ts';
import type { Command } from 'commander';
import { CONSENTS } from '../clients/app-settings.ts';
import type { ConsentMode } from '../clients/app-settings.ts';
import { ACCESS_TOKEN_FORMATS } from '../clients/client.ts';
import type { AccessTokenFormat } from '../clients/client.ts';
import { SIGNED_WITH } from '../clients/protocol.ts';
import type { SignedWith } from '../clients/protocol.ts';
import { addProtocolOptions, toProtocol, readJsonFile } from './client-protocol.ts';
import type { ProtocolOptions } from './client-protocol.ts';
import { wholeFrom } from './whole-number.ts';

export interface ClientOptions extends ProtocolOptions {
  name?: string;
  redirectUri?: string[];
  postLogoutRedirectUri?: string[];
  backchannelLogoutUri?: string;
  backchannelLogoutSessionRequired?: boolean;
  frontchannelLogoutUri?: string;
  frontchannelLogoutSessionRequired?: boolean;
  scope?: string[];
  firstParty?: boolean;
  accessTokenFormat?: AccessTokenFormat;
  scopeDescription?: string[];
  detailTypes?: string;
  accessTokenLifetime?: number;
  idTokenLifetime?: number;
  refreshTokenLifetime?: number;
  consent?: ConsentMode;
  allowedApi?: string[];
  idTokenProfileClaims?: 'on' | 'off';
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
}

const collect = (value: string, before: string[] = []) => [...before, value];

/** `notes:read=Read your notes`. */
const described = (given: string[] | undefined): Record<string, string> | undefined =>
  given && Object.fromEntries(given.map((one) => [one.split('=', 1)[0]!, one.slice(one.indexOf('=') + 1)]));

/** What the options say; what they do not is undefined. @throws invalid_input. */
export function toSettings(options: ClientOptions) {
  return {
    name: options.name,
    redirect_uris: options.redirectUri,
    post_logout_redirect_uris: options.postLogoutRedirectUri,
    backchannel_logout_uri: options.backchannelLogoutUri,
    backchannel_logout_session_required: options.backchannelLogoutSessionRequired,
    frontchannel_logout_uri: options.frontchannelLogoutUri,
    frontchannel_logout_session_required: options.frontchannelLogoutSessionRequired,
    scope: options.scope?.flatMap((scope) => scope.split(/\s+/)).join(' '),
    first_party: options.firstParty,
    access_token_format: options.accessTokenFormat,
    scope_descriptions: described(options.scopeDescription),
    detail_types:
      options.detailTypes === undefined
        ? undefined
        : (readJsonFile(options.detailTypes, 'detail_types') as DetailType[]),
    access_token_lifetime: options.accessTokenLifetime,
    id_token_lifetime: options.idTokenLifetime,
    refresh_token_lifetime: options.refreshTokenLifetime,
    consent: options.consent,
    allowed_resources: options.allowedApi,
    id_token_profile_claims: options.idTokenProfileClaims && options.idTokenProfileClaims === 'on',
    access_token_signing_alg: options.accessTokenSigningAlg,
    default_resource: options.defaultApi,
    always_issue_refresh_token: options.alwaysIssueRefreshToken,
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

/** Beside name, and what stays for good. */
export const addClientOptions = (command: Command): Command =>
  addProtocolOptions(command)
    .option('--redirect-uri <uri>', 'where people come back to; may be repeated', collect)
    .option('--post-logout-redirect-uri <uri>', 'where people come back to after log-out; may be repeated', collect)
    .option('--backchannel-logout-uri <url>', 'where we tell it that a session has ended, by a signed log-out token')
    .option('--backchannel-logout-session-required', 'it needs the sid in that token')
    .option('--frontchannel-logout-uri <url>', 'the same by a frame in the browser, for apps that have no other way')
    .option('--frontchannel-logout-session-required', 'it needs iss and sid in that address')
    .option('--scope <scope>', 'scope it may ask for, or of an API: offers; may be repeated', collect)
    .option('--first-party', 'skips consent')
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
    .option('--detail-types <file>', 'of an API: JSON file with its types of rich authorization requests')
    .option(
      '--access-token-lifetime <seconds>',
      'how long its access tokens live, or of an API: those for it',
      wholeFrom(1),
    )
    .option('--id-token-lifetime <seconds>', 'how long its ID tokens live', wholeFrom(1))
    .option('--refresh-token-lifetime <seconds>', 'how long each of its refresh tokens lives', wholeFrom(1))
    .addOption(new Option('--consent <mode>', 'whether people are asked once, or each time').choices(CONSENTS))
    .option('--allowed-api <resource>', 'API that it may get tokens for; may be repeated; any if none', collect)
    .addOption(
      new Option('--id-token-profile-claims <on|off>', 'whether its ID tokens tell what the granted scopes do').choices(
        ['on', 'off'],
      ),
    )
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
    .addOption(new Option('--id-token-signed-response-alg <alg>', 'signature of its ID tokens').choices(SIGNED_WITH));
