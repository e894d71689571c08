/** What may be said of a provider that is added while all runs: by the schema of the configuration, and no more freely than it. */
import { invalidInput } from '../kernel/errors.ts';
import { insecureUpstreams, PROVIDER_NAME, storedProvider } from './federation.ts';
import type { ProviderConfig } from './federation.ts';

interface Needs {
  production: boolean;
  allowPrivate: boolean;
  /** Whether a host is a name, or a public address. */
  isPublic(hostname: string): boolean;
}

const ADDRESSES = ['issuer', 'api_url'] as const;
const GITHUB = 'https://github.com';

/** Whoever answers as the API says who people are: it must be where the provider is. */
function apiProblem(settings: ProviderConfig): string | undefined {
  if (settings.type !== 'github' || settings.api_url === undefined) return undefined;
  const { origin } = new URL(settings.api_url);
  const own = new URL(settings.issuer).origin;
  const fits = own === GITHUB ? origin === 'https://api.github.com' : origin === own;
  return fits ? undefined : 'must be at the address of the issuer: whoever answers there says who people are';
}

/** @returns what gives the settings with their defaults, or throws invalid_input that names the field and repeats no value. */
export function createProviderCheck({ production, allowPrivate, isPublic }: Needs) {
  return (name: string, settings: Record<string, unknown>): ProviderConfig => {
    if (!PROVIDER_NAME.test(name))
      throw invalidInput('must be named in small letters, digits and hyphens, beginning with a letter', 'name');
    const parsed = storedProvider.safeParse(settings);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const unknown = issue!.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
      const field = unknown ?? String(issue!.path[0] ?? 'type');
      const message = issue!.code === 'unrecognized_keys' ? 'is not known of a provider of this type' : issue!.message;
      throw invalidInput(`${field} ${message}`, field);
    }
    for (const field of ADDRESSES) {
      const text = (parsed.data as Record<string, unknown>)[field];
      if (typeof text !== 'string' || allowPrivate) continue;
      const { protocol, hostname } = new URL(text);
      if (protocol !== 'https:' || !isPublic(hostname))
        throw invalidInput(`${field} must be a public https address: outbound.allow_private is off`, field);
    }
    const [insecure] = production ? insecureUpstreams({ [name]: parsed.data }) : [];
    if (insecure !== undefined) throw invalidInput(insecure, insecure.split(/[. ]/)[2]);
    const problem = apiProblem(parsed.data);
    if (problem) throw invalidInput(`api_url ${problem}`, 'api_url');
    return parsed.data;
  };
}
