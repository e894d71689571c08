import { ACCOUNT_CLIENT } from '../clients/client.ts';
import type { Place } from '../visits/place.ts';
import { GROUPS } from './section.ts';

/** The account page as a place that people sign in to. @param nameNow what they are told that they sign in to. */
export const accountPlace = (nameNow: () => string): Place => ({
  path: '/account',
  client: ACCOUNT_CLIENT,
  get client_name() {
    return nameNow();
  },
  cookie: 'gatehouse_account',
  kind: 'PortalSession',
  views: 'portal',
  words: {
    title: (view) => `portal.${view}.title`,
    nav: (what) => `portal.nav.${what}`,
    outside: (reason) => `portal.outside.${reason}.title`,
  },
  groups: GROUPS,
  outside: ['deleted'],
});
