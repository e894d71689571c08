/**
 * Portal: a person's own account page. It owns its pages; the way in and the session are `visits/`'s, and what an account, a session or
 * a consent is it leaves to their rooms. A section is one entry of its navigation and all that is done there; `sections.ts` is the
 * list of them. Its texts are `portal.<view>`, `portal.nav.<id>` and `portal.notice.<key>`.
 */
import type { Section as AnySection } from '../visits/visit.ts';

export { parameterOf } from '../visits/visit.ts';
export type { Desk, Handler, Terms, Visit } from '../visits/visit.ts';

export const GROUPS = ['you', 'sign_in', 'access', 'data'] as const;

export type Section = AnySection<(typeof GROUPS)[number]>;
