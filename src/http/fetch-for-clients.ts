/** Fetches what clients name: keys, lists of redirect URIs, endpoints that are told something. */
import { partnerFetch } from './fetch-partner.ts';

/** In the form of the Fetch API, so that the engine can be given it; whatever dispatcher it brings is left aside for ours. */
export const createClientFetch =
  (allowPrivate: boolean) =>
  (url: string, { method = 'GET', headers, body, signal }: RequestInit): Promise<Response> =>
    partnerFetch({ origins: [], allowPrivate }, url, {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      body,
      signal: signal ?? undefined,
    });
