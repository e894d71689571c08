/** Who calls: by a JWT access token for this API (RFC 9068, section 4), of an admin or of a program that acts for itself. */
import { isAdmin } from '../accounts/role.ts';
import type { Account } from '../accounts/account.ts';
import type { Principal } from '../administration/principal.ts';
import type { AdminScope } from '../administration/scopes.ts';
import type { LiveToken } from '../oidc/jwt-access-tokens.ts';
import { ApiProblem } from './problems.ts';
import { metadataUrl } from './resource-metadata.ts';

/** With the app that the token was issued to: requests are counted by it. */
export interface ApiCaller extends Principal {
  kind: 'admin' | 'client';
  client_id: string;
}

interface Needs {
  resource: string;
  /** A token that is signed by us, unexpired and not revoked. */
  findToken(token: string): Promise<LiveToken | undefined>;
  accounts: { find(id: string): Promise<Account | undefined> };
}

const REALM = 'Bearer realm="gatehouse admin API"';

const unauthorized = (resource: string, why?: string) =>
  new ApiProblem({
    name: 'unauthorized',
    detail: why,
    headers: {
      // Where whoever has no token learns how to get one (RFC 9728, section 5.1).
      'WWW-Authenticate': `${REALM}${why === undefined ? '' : `, error="invalid_token", error_description="${why}"`}, resource_metadata="${metadataUrl(resource)}"`,
    },
  });

const notAdmin = () =>
  new ApiProblem({ name: 'forbidden', detail: 'the person whose token this is has not the role admin' });

/** @throws the problem `forbidden`, with the scope that is missing (RFC 6750, section 3.1). */
export function mustHaveScope(caller: ApiCaller, scope: AdminScope): void {
  if (caller.may(scope)) return;
  throw new ApiProblem({
    name: 'forbidden',
    detail: `that takes the scope ${scope}`,
    headers: { 'WWW-Authenticate': `${REALM}, error="insufficient_scope", scope="${scope}"` },
  });
}

/** @returns a function that takes the `Authorization` header. It throws the problems `unauthorized` and `forbidden`. */
export function createAuthenticate({ resource, findToken, accounts }: Needs) {
  return async (authorization: string | undefined): Promise<ApiCaller> => {
    const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw unauthorized(resource);
    const live = await findToken(token);
    if (!live) throw unauthorized(resource, 'the token is expired, revoked, or not one of this provider');
    const { aud, scope = '', client_id, cnf } = live.payload;
    if (aud !== resource) throw unauthorized(resource, `the token is not for ${resource}`);
    if (cnf !== undefined) throw unauthorized(resource, 'the token is bound to a key, which this API does not check');
    const scopes = new Set(scope.split(' '));
    const may = (one: AdminScope) => scopes.has(one);
    if (live.accountId === undefined) return { kind: 'client', id: client_id, client_id, may };
    const account = await accounts.find(live.accountId);
    if (!account || !isAdmin(account)) throw notAdmin();
    return { kind: 'admin', id: account.id, client_id, may };
  };
}
