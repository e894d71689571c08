/** One field of an app's form while it is typed: the rules of saving, and what is worth a second look. */
import type { Context } from 'koa';
import type { AppWarnings } from '../administration/app-warnings.ts';
import type { Warning } from '../clients/look-alikes.ts';
import { field } from '../http/body.ts';
import { linesOf, namesOf, trySaving } from './forms.ts';
import type { FormPage, Group, Notice, Values, Wrong } from './forms.ts';

/** In the place of what is not typed yet, so that the rules come to what is. */
const STAND_INS: Values = { name: 'App', redirect_uris: 'https://app.example/callback' };

interface Needs {
  draft(values: Values): Promise<unknown>;
  warnings: AppWarnings;
  type: string;
  id?: string;
}

export const shownWarnings = (found: Warning[]): Notice[] =>
  found.map(({ code, field: about, value, other }) => ({
    field: about,
    key: `console.warning.${code}`,
    variables: { value, other: other ?? '' },
  }));

/** What saving would say against this field, whatever stands in the others. */
async function wrongWith(
  checked: string,
  groups: Group[],
  typed: Values,
  { draft }: Needs,
): Promise<Wrong | undefined> {
  const values = { ...typed };
  for (let tries = 0; tries < namesOf(groups).length; tries += 1) {
    const tried = await trySaving(groups, () => draft(values));
    if (!('wrong' in tried)) return undefined;
    const { field: named } = tried.wrong;
    if (named === checked) return tried.wrong;
    const standIn = STAND_INS[named] ?? '';
    if (values[named] === standIn) return undefined;
    values[named] = standIn;
  }
  return undefined;
}

/** @returns what the page of the form says of the field that was typed in. */
export async function lookAt(ctx: Context, groups: Group[], values: Values, needs: Needs): Promise<Partial<FormPage>> {
  const checked = field(ctx, 'checked');
  const wrong = namesOf(groups).includes(checked) ? await wrongWith(checked, groups, values, needs) : undefined;
  const { warnings, type, id } = needs;
  const redirect_uris = linesOf(values['redirect_uris']);
  const found = await warnings.of({ id, type, name: values['name'] ?? '', redirect_uris });
  return {
    checked: true,
    wrong,
    warnings: shownWarnings(found).filter((one) => one.field === checked),
  };
}
