/** Dates as a person reads them: in their language and, where the profile tells it, in their time zone. */
import type { Account } from '../accounts/account.ts';

const MS = 1000;

/** For `<time>`. */
export interface Shown {
  iso: string;
  text: string;
}

export interface Dates {
  moment(at: string | number): Shown;
  day(at: string | number): Shown;
}

export function isTimeZone(zone: string): boolean {
  try {
    return zone !== '' && Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}

/** Times are epoch seconds or ISO 8601 text. */
export function datesFor(lang: string, { claims }: Pick<Account, 'claims'>): Dates {
  const zone = claims.zoneinfo !== undefined && isTimeZone(claims.zoneinfo) ? claims.zoneinfo : 'UTC';
  const moment = new Intl.DateTimeFormat(lang, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone: zone,
    timeZoneName: 'short',
  });
  const day = new Intl.DateTimeFormat(lang, { dateStyle: 'long', timeZone: zone });
  const shown = (format: Intl.DateTimeFormat) => (at: string | number) => {
    const date = new Date(typeof at === 'number' ? at * MS : at);
    return { iso: date.toISOString(), text: format.format(date) };
  };
  return { moment: shown(moment), day: shown(day) };
}
