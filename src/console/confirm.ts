/** Pages that ask once more before something is done, and name what it is done to. */
import { FORM_ID } from './forms.ts';
import type { Desk, Visit } from '../visits/visit.ts';

export interface Confirmation {
  /** Texts are `console.confirm.<id>.title`, `.text` and `.submit`. */
  id: string;
  /** What it is done to, by its name; and what tells it from others of that name. */
  name: string;
  detail: string;
  action: string;
  back: string;
  danger: boolean;
}

export const showConfirmation = (desk: Desk, visit: Visit, { id, ...page }: Confirmation): Promise<void> =>
  desk.show(
    visit,
    'confirm',
    (t) => ({
      ...page,
      heading: t(`console.confirm.${id}.title`, { name: page.name }),
      text: t(`console.confirm.${id}.text`, { name: page.name }),
      submit: t(`console.confirm.${id}.submit`),
      resend: { form: FORM_ID, label: t(`console.confirm.${id}.submit`), danger: page.danger },
    }),
    { title: [`console.confirm.${id}.title`, { name: page.name }] },
  );
