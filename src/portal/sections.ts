/** The list of what the page has, in the order of its navigation. A new section is a file in `sections/` and a line here. */
import type { Section } from './section.ts';
import { activitySection } from './sections/activity.ts';
import { appsSection } from './sections/apps.ts';
import { dataSection } from './sections/data.ts';
import { authenticatorSection } from './sections/authenticator.ts';
import { deletionSection } from './sections/deletion.ts';
import { emailSection } from './sections/email.ts';
import { overviewSection } from './sections/overview.ts';
import { passkeysSection } from './sections/passkeys.ts';
import { passwordSection } from './sections/password.ts';
import { profileSection } from './sections/profile.ts';
import { providersSection } from './sections/providers.ts';
import { recoveryCodesSection } from './sections/recovery-codes.ts';
import { rememberedSection } from './sections/remembered.ts';
import { requestsSection } from './sections/requests.ts';
import { sessionsSection } from './sections/sessions.ts';

const SECTIONS = [
  overviewSection,
  profileSection,
  emailSection,
  passwordSection,
  passkeysSection,
  authenticatorSection,
  recoveryCodesSection,
  rememberedSection,
  providersSection,
  sessionsSection,
  appsSection,
  requestsSection,
  activitySection,
  dataSection,
  deletionSection,
] as const;

type NeedsOf<Of> = Of extends (needs: infer Needs) => Section | undefined ? (needs: Needs) => void : never;
/** What all of them need together. */
export type SectionNeeds = NeedsOf<(typeof SECTIONS)[number]> extends (needs: infer All) => void ? All : never;

/** Those that there are here: what is switched off has none. */
export const portalSections = (needs: SectionNeeds): Section[] =>
  SECTIONS.map((section) => section(needs as never)).filter((section) => section !== undefined);
