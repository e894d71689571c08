/** What a snippet is made of: its template, and the values of one app. */

export interface Snippet {
  id: string;
  name: string;
  /** Where it goes. */
  file: string;
  text: string;
  /** What the app's redirect URI ends with, where that is not the app's to choose. */
  callback: string | null;
  /** Whether such a one is registered. */
  registered: boolean;
}

export interface Values {
  id: string;
  issuer: string;
  redirect: string;
  /** Scheme and host of the app. */
  origin: string;
  secret: boolean;
}

export type Template = Omit<Snippet, 'text' | 'registered'> & { text(values: Values): string };

export const js = (value: string): string => JSON.stringify(value);
/** Of a shell, between quotes. */
export const sh = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;
/** Of Ruby: neither ends the text nor begins a value in it. */
export const ruby = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
