/** The list of what the page has, in the order of its navigation. A new section is a file in `sections/` and a line here. */
import type { Section } from './section.ts';
import { appsSection } from './sections/apps.ts';
import { overviewSection } from './sections/overview.ts';
import { profileSection } from './sections/profile.ts';
import { sessionsSection } from './sections/sessions.ts';

export type SectionNeeds = Parameters<typeof overviewSection>[0] &
  Parameters<typeof profileSection>[0] &
  Parameters<typeof sessionsSection>[0] &
  Parameters<typeof appsSection>[0];

export const portalSections = (needs: SectionNeeds): Section[] => [
  overviewSection(needs),
  profileSection(needs),
  sessionsSection(needs),
  appsSection(needs),
];
