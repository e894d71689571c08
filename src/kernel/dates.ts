/** Dates as a person reads them: in their language and, where it is known, in their time zone. */
const MS = 1000;

/** For `<time>`. */
export interface Shown {
  iso: string;
  text: string;
}

/** Times are epoch seconds or ISO 8601 text. */
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

/** @param zone of the IANA database; anything else is UTC. */
export function datesIn(lang: string, zone: string | undefined): Dates {
  const timeZone = zone !== undefined && isTimeZone(zone) ? zone : 'UTC';
  const moment = new Intl.DateTimeFormat(lang, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone,
    timeZoneName: 'short',
  });
  const day = new Intl.DateTimeFormat(lang, { dateStyle: 'long', timeZone });
  const shown = (format: Intl.DateTimeFormat) => (at: string | number) => {
    const date = new Date(typeof at === 'number' ? at * MS : at);
    return { iso: date.toISOString(), text: format.format(date) };
  };
  return { moment: shown(moment), day: shown(day) };
}
