import { ACCOUNT_CLIENT } from '../clients/client.ts';
import type { Place } from '../visits/place.ts';
import { GROUPS } from './section.ts';

/** The account page as a place that people sign in to. @param client_name what they are told that they sign in to. */
export const accountPlace = (client_name: string): Place => ({
  path: '/account',
  client: ACCOUNT_CLIENT,
  client_name,
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
