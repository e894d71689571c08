/**
 * Rich authorization requests (RFC 9396). The library wants all types when it is made; here they belong to APIs, which admins change at any
 * time. So it is given an object that has every type, and the check of each detail asks the API that the request is for: what an
 * admin registers counts within a second in every process.
 */
import { errors } from 'oidc-provider';
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { Client as Api } from '../../clients/client.ts';
import { areWithin, detailProblem, shownLines } from '../../clients/detail-types.ts';
import type { Detail, DetailType } from '../../clients/detail-types.ts';

const MOST_DETAILS = 20;

interface ApiDirectory {
  api(resource: string): Promise<Api | undefined>;
}

/** A type at the API that defines it. */
interface Found {
  api: Api;
  type: DetailType;
}

const texts = (value: unknown): string[] => [value ?? []].flat().filter((one) => typeof one === 'string');

/** The APIs, of those that a request is for, where a detail belongs: its token at each of them will have it. */
async function findTypes(detail: Detail, resources: string[], { api }: ApiDirectory): Promise<Found[]> {
  const places = resources.filter((resource) => detail.locations?.includes(resource) ?? true);
  const found = places.map(async (resource) => {
    const one = await api(resource);
    const type = one?.detail_types?.find((type) => type.type === detail.type);
    return one && type ? [{ api: one, type }] : [];
  });
  return (await Promise.all(found)).flat();
}

/** What a request says in `authorization_details`, once the library has checked it. */
export const detailsIn = (value: unknown): Detail[] =>
  typeof value === 'string' && value !== '' ? (JSON.parse(value) as Detail[]) : [];

/** A detail as people read it. */
export interface ShownDetail {
  title: string;
  api: string;
  lines(yesNo: (value: boolean) => string): string[];
}

/** What people are shown of details. @param resources the APIs that the request is for. */
export async function shownDetails(
  details: Detail[],
  resources: string[],
  directory: ApiDirectory,
): Promise<ShownDetail[]> {
  const shown = details.map(async (detail): Promise<ShownDetail[]> => {
    const found = await findTypes(detail, resources, directory);
    // An API that changed the type meanwhile: nobody says yes to what cannot be shown.
    if (found.length === 0 || found.some(({ type }) => detailProblem(detail, type) !== undefined))
      throw new errors.InvalidAuthorizationDetails('the type of the authorization details was changed');
    return found.map(({ api, type }) => ({
      title: type.title,
      api: api.client_name,
      lines: (yesNo) => shownLines(detail, type, yesNo),
    }));
  });
  return (await Promise.all(shown)).flat();
}

type Validate = (ctx: KoaContextWithOIDC, detail: Detail, client: Client) => Promise<void>;

/** An object that has every type, all alike. What every object has is none. */
function everyType(validate: Validate): Record<string, { validate: Validate }> {
  const alike = { validate };
  const isType = (name: string | symbol, target: object): name is string =>
    typeof name === 'string' && !(name in target);
  return new Proxy<Record<string, { validate: Validate }>>(
    {},
    {
      get: (target, name) => (isType(name, target) ? alike : (Reflect.get(target, name) as never)),
      getOwnPropertyDescriptor: (target, name) =>
        isType(name, target) ? { value: alike, enumerable: true, configurable: true, writable: false } : undefined,
    },
  );
}

interface Source {
  rar?: Detail[];
}

/** Taken by the library as it is: a plain object it would copy, and all types with it. */
class RichAuthorizationRequests {
  enabled = true;
  types: Record<string, { validate: Validate }>;
  authorizationDetailsForGrantSource: (ctx: KoaContextWithOIDC) => Promise<Detail[] | undefined>;
  authorizationDetailsForAccessToken: (
    ctx: KoaContextWithOIDC,
    token: object,
    source: Source | undefined,
  ) => Promise<Detail[] | undefined>;
  authorizationDetailsForIntrospection: (ctx: KoaContextWithOIDC, token: Source) => Promise<Detail[] | undefined>;

  constructor(directory: ApiDirectory) {
    this.types = everyType((ctx, detail, client) => checkDetail(ctx, detail, client, directory));
    this.authorizationDetailsForGrantSource = async ({ oidc }) => (oidc.entities.Grant as Source | undefined)?.rar;
    this.authorizationDetailsForAccessToken = async (ctx, token, source) => forToken(ctx, token, source, directory);
    this.authorizationDetailsForIntrospection = async (_ctx, token) => token.rar;
  }
}

/** @throws InvalidAuthorizationDetails. */
async function checkDetail(
  { oidc }: KoaContextWithOIDC,
  detail: Detail,
  client: Client,
  directory: ApiDirectory,
): Promise<void> {
  // At the token endpoint nothing new can be had: what is asked for is compared with what was granted.
  if ((oidc as unknown as { route: string }).route === 'token') return;
  if (detailsIn(oidc.params?.['authorization_details']).length > MOST_DETAILS)
    throw new errors.InvalidAuthorizationDetails(`more than ${MOST_DETAILS} authorization details`);
  // Of an app that nobody here has looked at none are taken, until an admin names some.
  const listed = client['allowed_details'] as string[] | null;
  const allowed = listed ?? (client['dynamically_registered'] === true ? [] : null);
  if (allowed && !allowed.includes(detail.type))
    throw new errors.InvalidAuthorizationDetails('the client may not ask for this type of authorization details');
  const named = texts(oidc.params?.['resource']);
  const resources = named.length > 0 ? named : texts(client['default_resource']);
  const found = await findTypes(detail, resources, directory);
  if (found.length === 0)
    throw new errors.InvalidAuthorizationDetails('no API of the request has such a type of authorization details');
  const elsewhere = detail.locations?.find((location) => !resources.includes(location));
  const problem =
    elsewhere === undefined
      ? found.map(({ type }) => detailProblem(detail, type)).find((one) => one !== undefined)
      : 'locations must be among the resources of the request';
  if (problem !== undefined) throw new errors.InvalidAuthorizationDetails(`authorization details: ${problem}`);
}

/** Of what was granted the part for this token's API; of that what the request asks for, if it does. */
async function forToken(
  { oidc }: KoaContextWithOIDC,
  token: object,
  source: Source | undefined,
  directory: ApiDirectory,
): Promise<Detail[] | undefined> {
  const granted = source?.rar ?? [];
  const asked = detailsIn(oidc.params?.['authorization_details']);
  if (!areWithin(asked, granted)) throw new errors.InvalidAuthorizationDetails('more than was granted');
  const { aud } = token as { aud?: string };
  if (aud === undefined) return undefined;
  const belonging = await Promise.all(
    (asked.length > 0 ? asked : granted).map(async (detail) =>
      (await findTypes(detail, [aud], directory)).length > 0 ? [detail] : [],
    ),
  );
  return belonging.flat();
}

export const authorizationDetailsFeatures = (directory: ApiDirectory) =>
  ({
    richAuthorizationRequests: new RichAuthorizationRequests(directory),
  }) as unknown as Pick<NonNullable<Configuration['features']>, 'richAuthorizationRequests'>;

/** The library knows no types by name, but the APIs do (RFC 9396, section 10). */
export const nameDetailTypes =
  (types: () => Promise<string[]>) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    if (!ctx.path.startsWith('/.well-known/')) return;
    const metadata = ctx.body as Record<string, unknown> | undefined;
    if (metadata?.['authorization_details_types_supported'] === undefined) return;
    const all = await types();
    if (all.length > 0) metadata['authorization_details_types_supported'] = all;
    else delete metadata['authorization_details_types_supported'];
  };
