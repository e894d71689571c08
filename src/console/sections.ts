/** The list of what the console has, in the order of its navigation. A new section is a file in `sections/` and a line here. */
import type { Section } from '../visits/visit.ts';
import { auditSection } from './sections/audit.ts';
import { apisSection, appsSection } from './sections/clients.ts';
import { claimsSection } from './sections/claims.ts';
import { documentsSection } from './sections/documents.ts';
import { keysSection } from './sections/keys.ts';
import { overviewSection } from './sections/overview.ts';
import { peopleSection } from './sections/people.ts';
import { sessionsSection } from './sections/sessions.ts';
import { previewSection } from './sections/preview.ts';
import { groupsSection, rolesSection } from './sections/roles.ts';
import { providersSection } from './sections/providers.ts';
import { settingsSection } from './sections/settings.ts';

const SECTIONS = [
  overviewSection,
  peopleSection,
  groupsSection,
  rolesSection,
  sessionsSection,
  appsSection,
  documentsSection,
  apisSection,
  claimsSection,
  previewSection,
  providersSection,
  keysSection,
  auditSection,
  settingsSection,
] as const;

type NeedsOf<Of> = Of extends (needs: infer Needs) => Section ? (needs: Needs) => void : never;
/** What all of them need together. */
export type SectionNeeds = NeedsOf<(typeof SECTIONS)[number]> extends (needs: infer All) => void ? All : never;

export const consoleSections = (needs: SectionNeeds): Section[] => SECTIONS.map((section) => section(needs));
