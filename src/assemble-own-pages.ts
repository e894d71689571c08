/** Wires the names of our own pages as apps: people sign in to what the product is called at the moment. */
import { ACCOUNT_CLIENT, CONSOLE_CLIENT } from './clients/client.ts';
import type { Clients } from './clients/clients.ts';
import type { Logger } from './kernel/logger.ts';

interface Needs {
  config: { brand: { readonly name: string } };
  clients: Pick<Clients, 'find' | 'update'>;
  /** Calls `follow` when this process has seen that settings changed. */
  onSettings(follow: () => void): void;
  log: Logger;
}

/** From now on their records are called what is set. Each process sees to it: of several the last one finds it done. */
export function nameOwnPages({ config, clients, onSettings, log }: Needs): void {
  async function rename(id: string): Promise<void> {
    const found = await clients.find(id);
    const { name } = config.brand;
    if (found && found.client_name !== name) await clients.update(id, { name });
  }

  onSettings(() => {
    for (const id of [ACCOUNT_CLIENT, CONSOLE_CLIENT])
      rename(id).catch((error: unknown) =>
        log.warn({ err: error, client: id }, 'a page of ours keeps its former name'),
      );
  });
}
