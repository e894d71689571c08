import { forbidden } from '../kernel/errors.ts';
import type { AdminScope } from './scopes.ts';

/** Who asks: an admin, a program of theirs, or whoever operates the machine. */
export interface Principal {
  kind: 'admin' | 'client' | 'operator';
  /** Account or client id; of an operator `command line`. */
  id: string;
  may(scope: AdminScope): boolean;
}

/** Who can run commands on the machine can do anything with the store. */
export const OPERATOR: Principal = { kind: 'operator', id: 'command line', may: () => true };

/** @throws forbidden naming the scope. */
export function mustHave(principal: Principal, scope: AdminScope, why: string): void {
  if (!principal.may(scope)) throw forbidden(`${why}: that takes the scope ${scope}`);
}
