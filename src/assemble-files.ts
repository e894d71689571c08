/** Wires the kinds of resources that files can hold. */
import type { Backstage } from './assemble.ts';
import type { AnyKind } from './files/kind.ts';
import { API, APP, clientKind } from './files/kinds/clients.ts';
import { providerKind } from './files/kinds/providers.ts';
import { settingsKind } from './files/kinds/settings.ts';
import type { Env } from './files/references.ts';

/** In the order in which they are made: what others name comes first. */
export function fileKinds({ apps, clients, upstreams, settings }: Backstage, env: Env = process.env): AnyKind[] {
  const needs = { apps, clients, env };
  return [
    settingsKind(settings),
    providerKind({ upstreams, env }),
    clientKind(API, needs),
    clientKind(APP, needs),
  ] as AnyKind[];
}
