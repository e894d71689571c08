/** Wires the preview of tokens: over the very needs of the engine that serves. */
import { createTokenPreview } from './administration/token-preview.ts';
import type { TokenPreview } from './administration/token-preview.ts';
import type { Backstage } from './assemble-backstage.ts';
import { findingApps } from './assemble-documents.ts';
import { inProcessFetch } from './http/in-process.ts';
import { createPreview } from './oidc/preview.ts';
import type { ProviderNeeds } from './oidc/provider-needs.ts';
import type { Documents } from './registration/documents.ts';

interface Needs extends Pick<Backstage, 'accounts' | 'clients' | 'book'> {
  /** Undefined where apps known by a document are off. */
  documents: Documents | undefined;
}

export function assemblePreview({ accounts, clients, documents, book }: Needs, engine: ProviderNeeds): TokenPreview {
  const { origin } = new URL(engine.config.issuer);
  const preview = createPreview({
    ...engine,
    async scratch() {
      // Kept in no file, and by nobody.
      const { openStorage } = await import('./storage/open.ts');
      return openStorage('sqlite::memory:');
    },
    fetchFrom(handler) {
      const fetch = inProcessFetch({ issuer: engine.config.issuer, handle: () => handler });
      return (path, init) =>
        fetch(origin + path, {
          ...init,
          headers: {
            ...init.headers,
            ...(init.body ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
          },
        });
    },
  });
  return createTokenPreview({ accounts, clients: findingApps(clients, documents), book, preview });
}
