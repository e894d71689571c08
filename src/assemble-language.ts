/** Wires the choice of a language: the browser keeps it, and the account of whoever is signed in there. */
import type { Accounts } from './accounts/accounts.ts';
import type { Csrf } from './http/csrf.ts';
import { createLanguage, languageRoute } from './http/language.ts';
import type { Locales } from './http/locale.ts';
import { issuerPath } from './kernel/urls.ts';
import type { Sessions } from './oidc/sessions.ts';

interface Needs {
  config: { issuer: string };
  accounts: Pick<Accounts, 'setLocale'>;
  sessions: Pick<Sessions, 'ofBrowser'>;
  locales: Locales;
  csrf: Csrf;
}

/** @returns the choice for pages that bring their own route, and the route for all others. */
export function assembleLanguage({ config: { issuer }, accounts, sessions, locales, csrf }: Needs) {
  const language = createLanguage({ issuer, languages: locales.languages.map(({ lang }) => lang) });
  const route = languageRoute({
    language,
    csrf,
    home: `${issuerPath(issuer)}/`,
    async keep(ctx, lang) {
      const session = await sessions.ofBrowser(ctx);
      if (session) await accounts.setLocale(session.account_id, lang);
    },
  });
  return { language, route };
}
