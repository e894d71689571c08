/** The document at a client's URL, into a client: what it may say, and for how long it is believed. */
import { z } from 'zod';
import type { NewClient } from '../clients/clients.ts';
import type { Config } from '../config/schema.ts';
import { invalidInput } from '../kernel/errors.ts';
import { redirectScheme, toNewClient } from './metadata.ts';
import { within } from './policy.ts';

/** Such an app signs people in, and that is all. */
const GRANT_TYPES = ['authorization_code' as const, 'refresh_token' as const];
const AUTH_METHODS = ['none', 'private_key_jwt'];
/** A secret that anybody can read is none (draft, section 4.1). */
const SECRETS = ['client_secret', 'client_secret_expires_at'];
/** Pictures are not shown for such an app: its host is its identity, and a picture says what it likes. */
const LEFT_OUT = ['client_id', 'logo_uri', 'default_acr_values', 'initiate_login_uri'];

const SHAPE = z.object({
  grant_types: z.array(z.string()).default(['authorization_code']),
  response_types: z.array(z.string()).default(['code']),
  redirect_uris: z.array(z.string()),
  scope: z.string().optional(),
  token_endpoint_auth_method: z.string().default('none'),
  application_type: z.string().optional(),
});

export interface DocumentSettings {
  client_documents: Config['client_documents'];
  allowPrivate: boolean;
  isPublicHost(hostname: string): boolean;
}

/** A document is written once for all providers: of what it lists, what there is here counts. */
const thoseOf = <T extends string>(wanted: string[], offered: readonly T[]): T[] =>
  offered.filter((value) => wanted.includes(value));

function parse(body: Buffer): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    throw invalidInput('it is not JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalidInput('it is not a JSON object');
  return json as Record<string, unknown>;
}

/**
 * @param id the URL it was read from. @returns the client that it describes, named by the host of `id`.
 * @throws invalid_input naming the field.
 */
export function readDocument(id: string, body: Buffer, settings: DocumentSettings): NewClient {
  const given = parse(body);
  if (given['client_id'] !== id) throw invalidInput('client_id is not the address of the document', 'client_id');
  const secret = SECRETS.find((name) => name in given);
  if (secret !== undefined) throw invalidInput(`${secret} has no place in a public document`, secret);
  const parsed = SHAPE.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalidInput(`${issue!.path.join('.')}: ${issue!.message}`, String(issue!.path[0]));
  }
  const { grant_types, response_types, redirect_uris, scope, token_endpoint_auth_method, application_type } =
    parsed.data;
  if (!AUTH_METHODS.includes(token_endpoint_auth_method))
    throw invalidInput(
      `token_endpoint_auth_method may be ${AUTH_METHODS.join(' or ')}, not ${token_endpoint_auth_method}`,
      'token_endpoint_auth_method',
    );
  if (!grant_types.includes('authorization_code') || !response_types.includes('code'))
    throw invalidInput('it does not ask for the authorization code grant', 'grant_types');
  const { scopes, redirect_schemes } = settings.client_documents;
  const asked = scope === undefined ? scopes : thoseOf(scope.split(' '), scopes);
  // A program on somebody's own device, whatever else it has: its loopback addresses have any port (RFC 8252, section 7.3).
  const onDevice = redirect_uris.some((uri) => redirectScheme(uri) !== 'https');
  const body_ = Object.fromEntries(Object.entries(given).filter(([name]) => !LEFT_OUT.includes(name)));
  const input = toNewClient({
    ...body_,
    application_type: onDevice && token_endpoint_auth_method === 'none' ? 'native' : application_type,
    grant_types: thoseOf(grant_types, GRANT_TYPES),
    response_types: ['code'],
    scope: (asked.length > 0 ? asked : ['openid']).join(' '),
    token_endpoint_auth_method,
  });
  const registration = { ...NO_OTHERS, grant_types: GRANT_TYPES, redirect_schemes, scopes: [...scopes, 'openid'] };
  const allowed = within({ ...settings, responseTypes: ['code'], registration }, input);
  return { ...allowed, name: new URL(id).host, document_name: input.name };
}

const NO_OTHERS = { mode: 'off' as const, rotate_tokens: false, unused_after: 0 };

const LEAST_SECONDS = 300;
const MOST_SECONDS = 86_400;

/**
 * For how many seconds a document is current by its own word, within five minutes and a day (RFC 9111, section 4.2; the draft leaves
 * the bounds to us).
 */
export function secondsFresh(headers: { get(name: string): string | null }, now: number): number {
  const control = headers.get('cache-control') ?? '';
  if (/(?:^|,)\s*no-(?:store|cache)\b/i.test(control)) return LEAST_SECONDS;
  const maxAge = /(?:^|,)\s*max-age\s*=\s*"?(\d{1,10})/i.exec(control)?.[1];
  const expires = Date.parse(headers.get('expires') ?? '');
  const age = Number(/^\d{1,10}$/.exec(headers.get('age') ?? '')?.[0] ?? 0);
  const lasts = maxAge === undefined ? (expires - now) / 1000 : Number(maxAge) - age;
  return Number.isNaN(lasts) ? LEAST_SECONDS : Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Math.floor(lasts)));
}
