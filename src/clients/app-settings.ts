/** What of tokens and consent is otherwise for one app. */
import { invalidInput } from '../kernel/errors.ts';
import { LIFETIME } from './api-settings.ts';

export const CONSENTS = ['remember', 'always'] as const;
/** `remember`: people are asked for what they have not answered yet. `always`: each time. Whether at all, says `first_party`. */
export type ConsentMode = (typeof CONSENTS)[number];

export interface AppSettings {
  /** Seconds; as everywhere else where they are missing. The shorter one counts where the API says something too. */
  access_token_lifetime?: number | undefined;
  id_token_lifetime?: number | undefined;
  /** Of one refresh token; the end of a chain of them is everywhere the same. */
  refresh_token_lifetime?: number | undefined;
  /** `remember` where it is missing. */
  consent?: ConsentMode | undefined;
  /** Identifiers of the APIs that it may get tokens for; any where it is empty or missing. */
  allowed_resources?: string[] | undefined;
  /** Whether its ID tokens tell what the granted scopes do, or userinfo alone; they do where it is missing. */
  id_token_profile_claims?: boolean | undefined;
}

export const APP_FIELDS = [
  'access_token_lifetime',
  'id_token_lifetime',
  'refresh_token_lifetime',
  'consent',
  'allowed_resources',
  'id_token_profile_claims',
] as const;

/** Of an app that acts for itself: it has no ID tokens, and nobody is asked. */
const OF_SERVICES: readonly string[] = ['access_token_lifetime', 'allowed_resources'];
/** Of an API, as far as it is one's business: for how long tokens for it are good. */
const OF_APIS: readonly string[] = ['access_token_lifetime'];

/** Most seconds, as the configuration has them. */
export interface Bounds {
  /** Signed tokens must not outlive the keys that check them. */
  token: number;
  refresh: number;
}

interface Input extends AppSettings {
  type: string;
  first_party?: boolean;
  default_resource?: string | undefined;
}

function checkLifetimes(input: Input, bounds: Bounds): void {
  const longest = {
    access_token_lifetime: bounds.token,
    id_token_lifetime: bounds.token,
    refresh_token_lifetime: bounds.refresh,
  };
  for (const [field, most] of Object.entries(longest) as [keyof typeof longest, number][]) {
    const value = input[field];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= LIFETIME.min && value <= most))
      throw invalidInput(`${field} must be ${LIFETIME.min} to ${most} seconds`, field);
  }
}

const isNothing = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0);

/** @param isApi whether there is an API with an identifier. @throws invalid_input naming the field. */
export async function checkAppSettings(
  input: Input,
  bounds: Bounds,
  isApi: (resource: string) => Promise<boolean>,
): Promise<void> {
  const { type, allowed_resources = [], default_resource } = input;
  const fits = type === 'api' ? OF_APIS : type === 'service' ? OF_SERVICES : APP_FIELDS;
  const stray = APP_FIELDS.find((field) => !isNothing(input[field]) && !fits.includes(field));
  if (stray !== undefined) throw invalidInput(`${stray} is not for a client of type ${type}`, stray);
  checkLifetimes(input, bounds);
  if (input.consent !== undefined && !CONSENTS.includes(input.consent))
    throw invalidInput(`consent must be one of ${CONSENTS.join(', ')}`, 'consent');
  if (input.consent === 'always' && input.first_party)
    throw invalidInput('an app that skips consent cannot ask for it each time', 'consent');
  for (const resource of allowed_resources)
    if (!(await isApi(resource)))
      throw invalidInput(`no API has the resource identifier ${resource}`, 'allowed_resources');
  if (allowed_resources.length > 0 && default_resource !== undefined && !allowed_resources.includes(default_resource))
    throw invalidInput(`${default_resource} is not among allowed_resources`, 'default_resource');
}

/** What is kept of them: nothing that is not said. */
export const appSettingsOf = (input: AppSettings): AppSettings => ({
  access_token_lifetime: input.access_token_lifetime,
  id_token_lifetime: input.id_token_lifetime,
  refresh_token_lifetime: input.refresh_token_lifetime,
  consent: input.consent === 'remember' ? undefined : input.consent,
  allowed_resources: input.allowed_resources?.length ? [...new Set(input.allowed_resources)] : undefined,
  id_token_profile_claims: input.id_token_profile_claims === false ? false : undefined,
});
