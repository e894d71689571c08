/** Pairwise subjects (OpenID Connect Core, section 8.1): no two sectors learn that they serve the same person. */
import type { Client, Configuration } from 'oidc-provider';
import type { Vault } from '../../kernel/secrets.ts';

/** @returns the `sub` of an account for a client: the account's id, or what follows from it for the client's sector. */
export type SubjectOf = (accountId: string, client: Client) => string;

export const createSubjects =
  (vault: Pick<Vault, 'sign'>): SubjectOf =>
  (accountId, client) => {
    const { subjectType, sectorIdentifier } = client as Client & { sectorIdentifier?: string };
    return subjectType === 'pairwise' ? vault.sign('pairwise subject', `${sectorIdentifier}\n${accountId}`) : accountId;
  };

export const subjectConfiguration = (
  subjectOf: SubjectOf,
): Pick<Configuration, 'subjectTypes' | 'pairwiseIdentifier'> => ({
  subjectTypes: ['public', 'pairwise'],
  pairwiseIdentifier: async (_ctx, accountId, client) => subjectOf(accountId, client),
});
