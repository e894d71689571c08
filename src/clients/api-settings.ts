/** What an API says of its scopes and of the tokens that are made for it. */
import { invalidInput } from '../kernel/errors.ts';
import { checkDetailTypes } from './detail-types.ts';
import type { DetailType } from './detail-types.ts';
import type { SignedWith } from './protocol.ts';

/** In words for people, by scope; they read them when an app asks for it. */
export type ScopeDescriptions = Record<string, string>;

export interface ApiSettings {
  scope_descriptions?: ScopeDescriptions | undefined;
  /** Seconds; as everywhere else where it is missing. */
  access_token_lifetime?: number | undefined;
  /** What its JWTs are signed with; the first algorithm of the configuration where it is missing. */
  access_token_signing_alg?: SignedWith | undefined;
  /** Types of rich authorization requests (RFC 9396) that it has. */
  detail_types?: DetailType[] | undefined;
}

export const API_FIELDS = [
  'scope_descriptions',
  'access_token_lifetime',
  'access_token_signing_alg',
  'detail_types',
] as const;
export const DESCRIPTION_MAX = 200;
export const LIFETIME = { min: 30, max: 86_400 } as const;
const CONTROL = /\p{Cc}|\p{Zl}|\p{Zp}|[\u202a-\u202e\u2066-\u2069]/u;

/** @throws invalid_input naming the field. */
export function checkApiSettings(
  input: ApiSettings & { type: string; access_token_format?: string | undefined },
  signedWith: readonly SignedWith[],
): void {
  const named = API_FIELDS.find((field) => input[field] !== undefined && field !== 'access_token_lifetime');
  if (named !== undefined && input.type !== 'api') throw invalidInput(`only an API has ${named}`, named);
  const { scope_descriptions = {}, access_token_signing_alg: alg } = input;
  for (const [scope, description] of Object.entries(scope_descriptions)) {
    const problem =
      description.length > DESCRIPTION_MAX
        ? `has more than ${DESCRIPTION_MAX} characters`
        : CONTROL.test(description)
          ? 'has characters that nobody sees'
          : undefined;
    if (problem) throw invalidInput(`the description of ${scope} ${problem}`, 'scope_descriptions');
  }
  if (input.detail_types !== undefined) checkDetailTypes(input.detail_types);
  if (alg !== undefined && !signedWith.includes(alg))
    throw invalidInput(`there are no keys for ${alg}: set keys.algorithms`, 'access_token_signing_alg');
}

/** What is kept of them: descriptions of scopes that it offers, and nothing that is not said. */
export function apiSettingsOf({
  scope,
  scope_descriptions = {},
  access_token_lifetime,
  access_token_signing_alg,
  detail_types = [],
}: ApiSettings & { scope?: string | undefined }): ApiSettings {
  const offered = scope?.split(' ') ?? [];
  const described = Object.entries(scope_descriptions)
    .map(([name, text]) => [name, text.trim()] as const)
    .filter(([name, text]) => offered.includes(name) && text !== '');
  return {
    scope_descriptions: described.length > 0 ? Object.fromEntries(described) : undefined,
    access_token_lifetime,
    access_token_signing_alg,
    detail_types: detail_types.length > 0 ? detail_types : undefined,
  };
}
