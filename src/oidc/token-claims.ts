/** All that apps and APIs learn of a person: the standard claims with roles, groups and permissions, and what claim tables add. */
import type { Client } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import type { RoleBook, Snapshot } from '../roles/book.ts';
import { mapClaims } from '../roles/claim-mapping.ts';
import type { Mapped } from '../roles/claim-mapping.ts';
import type { ClaimTarget } from '../roles/claim-rules.ts';
import { accountClaims } from './claims.ts';
import type { SubjectOf } from './features/subjects.ts';

/** Under it claims of a table stand beside an account's: the library picks standard ones by scope and knows no others. */
export const MAPPED = Symbol('claims of a table');

/** Whom and what a token is made for. */
export interface TokenFacts {
  target: ClaimTarget;
  scopes: Set<string>;
  client: Client;
  /** Undefined where a program acts for itself. */
  account: Account | undefined;
}

type Claims = Record<string, unknown> & { sub: string };

export interface TokenClaims {
  /** Every standard claim of an account; who sees which is decided by scope. */
  of(account: Account): Promise<Readonly<Claims>>;
  mapped(facts: TokenFacts): Promise<Mapped>;
}

interface Needs {
  book: Pick<RoleBook, 'current'>;
  subjectOf: SubjectOf;
}

const NOTHING: Mapped = { claims: {}, rows: [] };

export function createTokenClaims({ book, subjectOf }: Needs): TokenClaims {
  /** One request asks for each of its tokens, about the same reading of the account. */
  const made = new WeakMap<Account, { from: Snapshot; claims: Readonly<Claims> }>();

  async function claimsOf(account: Account): Promise<Readonly<Claims>> {
    const from = await book.current();
    const before = made.get(account);
    if (before?.from === from) return before.claims;
    const claims = accountClaims(account, from.authorityOf(account));
    made.set(account, { from, claims });
    return claims;
  }

  return {
    of: claimsOf,
    async mapped({ target, scopes, client, account }) {
      const snapshot = await book.current();
      const rules = snapshot.rulesFor(client.clientId);
      if (rules.own.length === 0 && rules.general.length === 0) return NOTHING;
      const authority = account && snapshot.authorityOf(account);
      return mapClaims(rules, {
        target,
        scopes,
        person: account && {
          claims: accountClaims(account, authority!),
          sub: subjectOf(account.id, client),
          authority: authority!,
        },
        selfRegistered: client['dynamically_registered'] === true || client['document_name'] !== undefined,
        roleName: (name) => snapshot.role(name)?.name ?? name,
        groupName: (name) => snapshot.group(name)?.name ?? name,
      });
    },
  };
}
