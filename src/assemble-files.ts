/** Wires the kinds of resources that files can hold. */
import type { Backstage } from './assemble-backstage.ts';
import type { AnyKind } from './files/kind.ts';
import { claimsKind } from './files/kinds/claims.ts';
import { API, APP, clientKind } from './files/kinds/clients.ts';
import { groupKind, roleKind } from './files/kinds/named.ts';
import { providerKind } from './files/kinds/providers.ts';
import { settingsKind } from './files/kinds/settings.ts';
import type { Env } from './files/references.ts';

/** In the order in which they are made: what others name comes first. */
export function fileKinds(backstage: Backstage, env: Env = process.env): AnyKind[] {
  const { apps, clients, upstreams, settings, roles, groups } = backstage;
  const needs = { apps, clients, env };
  return [
    providerKind({ upstreams, env }),
    roleKind(roles),
    groupKind(groups),
    settingsKind(settings),
    clientKind(API, needs),
    clientKind(APP, needs),
    claimsKind(backstage),
  ] as AnyKind[];
}
