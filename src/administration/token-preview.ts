/** Which tokens an app would get for a person, and where each claim in them comes from. */
import type { Account } from '../accounts/account.ts';
import type { Client } from '../clients/client.ts';
import { conflict, invalidInput, notFound } from '../kernel/errors.ts';
import { CLAIMS_BY_SCOPE } from '../oidc/claims.ts';
import type { PreviewedTokens, PreviewRequest } from '../oidc/preview.ts';
import type { Origins } from '../roles/authority.ts';
import type { RoleBook } from '../roles/book.ts';
import type { RowResult } from '../roles/claim-mapping.ts';
import type { ClaimTarget } from '../roles/claim-rules.ts';
import { mustHave } from './principal.ts';
import type { Principal } from './principal.ts';

export interface PreviewInput {
  /** By `sub` or e-mail; none for a service. */
  person?: string | undefined;
  client_id: string;
  /** `openid profile email` unless said. */
  scope?: string | undefined;
  /** Identifier of an API; the app's own default one unless said. */
  resource?: string | undefined;
}

export interface Origin {
  claim: string[];
  /** `protocol`: what the protocol itself says. `scope`: a standard claim that was granted. `table`: a row of a claim table. */
  from: 'protocol' | 'scope' | 'table';
  scope?: string;
  /** Of a table: the app's own, or the one for all; and its row, counted from 1. */
  table?: 'own' | 'general';
  row?: number;
}

export interface TokenView {
  claims: Record<string, unknown>;
  origins: Origin[];
  /** Rows of claim tables that gave nothing here, and why. */
  skipped: { table: 'own' | 'general'; row: number; claim: string[]; why: string }[];
}

export interface Preview {
  sub: string | null;
  client_id: string;
  /** What would be granted. */
  scope: string;
  id_token: TokenView | null;
  access_token: TokenView & { format: 'jwt' | 'opaque'; resource: string | null; lifetime: number };
  userinfo: TokenView | null;
  /** What the person has, and from where: `own`, `group:<name>`, of a permission `role:<name>`. */
  roles: Origins;
  permissions: Origins;
  groups: string[];
}

interface Needs {
  accounts: { get(who: string): Promise<Account> };
  clients: { find(id: string): Promise<Client | undefined> };
  book: Pick<RoleBook, 'latest'>;
  preview(request: PreviewRequest): Promise<PreviewedTokens>;
}

export interface TokenPreview {
  /**
   * Gives nobody anything: what is shown was made of what an app would get, and is good for nothing.
   * @throws forbidden, not_found, invalid_input where the app would get no token, conflict where the person gets none.
   */
  of(by: Principal, input: PreviewInput): Promise<Preview>;
}

const SCOPE_OF = new Map(
  Object.entries(CLAIMS_BY_SCOPE).flatMap(([scope, names]) =>
    scope === 'openid' ? [] : names.map((name) => [name, scope] as const),
  ),
);

function viewOf(claims: Record<string, unknown>, rows: RowResult[] = []): TokenView {
  const given = rows.filter(({ skipped }) => skipped === undefined);
  const mapped = new Set(given.map(({ claim }) => claim[0]));
  const origins = Object.keys(claims).flatMap((name): Origin[] => {
    if (mapped.has(name))
      return given
        .filter(({ claim }) => claim[0] === name)
        .map(({ claim, table, row }) => ({ claim, from: 'table', table, row: row + 1 }));
    const scope = SCOPE_OF.get(name);
    return [{ claim: [name], ...(scope === undefined ? { from: 'protocol' } : { from: 'scope', scope }) }];
  });
  const skipped = rows.flatMap(({ table, row, claim, skipped: why }) =>
    why === undefined || why === 'target' ? [] : [{ table, row: row + 1, claim, why }],
  );
  return { claims, origins, skipped };
}

export function createTokenPreview({ accounts, clients, book, preview }: Needs): TokenPreview {
  async function whoAndWhat(
    by: Principal,
    { person, client_id }: PreviewInput,
  ): Promise<{ client: Client; account?: Account }> {
    const client = await clients.find(client_id);
    if (!client || client.type === 'api') throw notFound(`no app has the id ${client_id}`);
    if (client.type === 'service') {
      if (person !== undefined) throw invalidInput('a service gets tokens for itself alone', 'person');
      return { client };
    }
    if (person === undefined) throw invalidInput('a person is needed: by sub or e-mail', 'person');
    mustHave(by, 'users:read', 'tokens of a person tell who they are');
    const account = await accounts.get(person);
    if (account.state !== 'active') throw conflict(`this person is ${account.state}: no app gets tokens for them`);
    return { client, account };
  }

  return {
    async of(by, input) {
      mustHave(by, 'tokens:preview', 'this shows what is in tokens');
      const { client, account } = await whoAndWhat(by, input);
      const snapshot = await book.latest();
      const scope = input.scope ?? (account ? 'openid profile email' : '');
      const tokens = await preview({ account, client, scope, resource: input.resource });
      const view = (claims: Record<string, unknown>, target: ClaimTarget) => viewOf(claims, tokens.tables[target]);
      const { claims, ...about } = tokens.access_token;
      const holder = account && snapshot.explained(account);
      return {
        sub: account?.id ?? null,
        client_id: client.id,
        scope: tokens.scope,
        id_token: tokens.id_token ? view(tokens.id_token, 'id_token') : null,
        access_token: { ...about, ...view(claims, 'access_token') },
        userinfo: tokens.userinfo ? view(tokens.userinfo, 'userinfo') : null,
        roles: holder?.origins.roles ?? {},
        permissions: holder?.origins.permissions ?? {},
        groups: holder?.groups ?? [],
      };
    },
  };
}
