/** FAPI 2.0 for the clients that chose it: what the library must know beside the metadata that the profile sets. */
import type { Client, Configuration } from 'oidc-provider';

export const fapiFeatures = {
  fapi: {
    enabled: true,
    profile: (_ctx, client) => ((client as Client | undefined)?.['fapi_profile'] === undefined ? undefined : '2.0'),
  },
} satisfies Configuration['features'];
