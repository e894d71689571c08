import type { Account } from '../../accounts/account.ts';
import type { People } from '../../administration/people.ts';
import { notFound } from '../../kernel/errors.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Visit } from '../../visits/visit.ts';

/** The person of an address: by id alone, for an e-mail address in a path would get into logs. @throws not_found. */
export async function personAt(people: Pick<People, 'get'>, visit: Visit): Promise<Account> {
  const id = parameterOf(visit, 'id');
  if (id.includes('@')) throw notFound('There is no such person.');
  return people.get(id);
}
