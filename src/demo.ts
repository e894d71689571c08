import type { Accounts } from './accounts/accounts.ts';
import { isGatehouseError } from './kernel/errors.ts';

/** The person everybody can be where `demo.enabled` is set; production refuses it. */
export const DEMO = { email: 'demo@example.com', password: 'correct horse battery' };

/** Creates the demo person unless there is one. */
export async function demoPerson(accounts: Accounts): Promise<void> {
  if (await accounts.findByEmail(DEMO.email)) return;
  try {
    await accounts.create({ ...DEMO, name: 'Demo Person', email_verified: true, roles: ['demo'] });
  } catch (error) {
    if (!isGatehouseError(error, 'duplicate')) throw error; // another process was faster
  }
}
