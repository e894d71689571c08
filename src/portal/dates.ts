import type { Account } from '../accounts/account.ts';
import { datesIn } from '../kernel/dates.ts';
import type { Dates } from '../kernel/dates.ts';

export type { Dates, Shown } from '../kernel/dates.ts';

/** Dates as this person reads them: in the time zone of their profile. */
export const datesFor = (lang: string, { claims }: Pick<Account, 'claims'>): Dates => datesIn(lang, claims.zoneinfo);
