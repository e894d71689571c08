/** What the operator says of a provider; the configuration fits it. */
interface Common {
  client_id: string;
  display_name?: string | undefined;
  scopes: string[];
  trust_email: boolean;
  refresh: ('name' | 'picture' | 'email')[];
  create_accounts?: boolean | undefined;
}

export interface GoogleSettings extends Common {
  type: 'google';
  client_secret: string;
  issuer: string;
  hosted_domain?: string | undefined;
  trust_amr: boolean;
}

export interface GithubSettings extends Common {
  type: 'github';
  client_secret: string;
  issuer: string;
  api_url?: string | undefined;
}

export interface MicrosoftSettings extends Common {
  type: 'microsoft';
  client_secret: string;
  tenant: string;
  allowed_tenants: string[];
  issuer?: string | undefined;
  trust_amr: boolean;
}

export interface AppleSettings extends Common {
  type: 'apple';
  team_id: string;
  key_id: string;
  private_key: string;
  issuer: string;
  trust_amr: boolean;
}

export interface OidcSettings extends Common {
  type: 'oidc';
  client_secret?: string | undefined;
  issuer: string;
  logo?: string | undefined;
  trust_amr: boolean;
}

export type ProviderSettings = GoogleSettings | GithubSettings | MicrosoftSettings | AppleSettings | OidcSettings;
