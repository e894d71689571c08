/** Messages become letters: subject, text and HTML, in the reader's language. */
import { datesIn } from '../kernel/dates.ts';
import { cleanData } from './clean.ts';
import type { Message } from './message.ts';

export interface Letter {
  subject: string;
  text: string;
  html: string;
}

/** A message catalogue in one language. */
interface Language {
  lang: string;
  /** For dates: the language with the region, where one is known. */
  tag: string;
  dir: 'ltr' | 'rtl';
  t: (key: string, variables?: Record<string, unknown>) => string;
}

interface Needs {
  /** Draws a template of `views/`, escaping what stands in `<%= %>`. */
  draw: (view: string, locals: object) => Promise<string>;
  /** The catalogue of a language, or of the nearest that there is. */
  language: (tag: string) => Language;
  issuer: string;
  /** Whether somebody reads answers. */
  answers: boolean;
  brand: { name: string; accent?: string | undefined; accent_dark?: string | undefined };
}

export type Write = (message: Message) => Promise<Letter>;

/** Colours of the look; mails cannot use the style sheet. Light ones stand in the elements, dark ones in a `<style>`. */
const LOOK = {
  light: {
    accent: '#3f4fd8',
    on_accent: '#ffffff',
    page: '#f5f6fa',
    card: '#ffffff',
    ink: '#171a2b',
    muted: '#5b6178',
    line: '#dfe2ec',
    soft: '#eef0fb',
  },
  dark: {
    accent: '#93a0ff',
    on_accent: '#171a2b',
    page: '#0f1220',
    card: '#171b2d',
    ink: '#eceefa',
    muted: '#a2a9c3',
    line: '#2b3050',
    soft: '#20263f',
  },
};

/** Seconds since the epoch become a date in the reader's time zone; where nobody knows that, it is UTC. */
function inWords(time: string | number | undefined, tag: string, zone: string): string | undefined {
  return typeof time === 'number' ? datesIn(tag, zone).moment(time).text : time;
}

/** At most one empty line in a row, none at either end. */
const tidy = (text: string) =>
  `${text
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;

export function createWriter(needs: Needs): Write {
  const { draw, language, issuer, brand } = needs;
  const lookNow = () => ({
    light: { ...LOOK.light, ...(brand.accent ? { accent: brand.accent } : {}) },
    dark: { ...LOOK.dark, ...(brand.accent_dark ? { accent: brand.accent_dark } : {}) },
  });
  const { host } = new URL(issuer);

  return async ({ template, locale, data: given }) => {
    const { lang, tag, dir, t } = language(locale);
    const cleaned = cleanData(given);
    const data = {
      ...cleaned,
      brand: brand.name,
      time: inWords(cleaned['time'], tag, String(cleaned['zone'] ?? 'UTC')),
    };
    const area = `mail.${template.replaceAll('-', '_')}`;
    /** A text of this mail; with `mail.` in front, of all mails. */
    const say = (key: string, more: Record<string, unknown> = {}) =>
      t(key.startsWith('mail.') ? key : `${area}.${key}`, { ...data, ...more });
    const subject = say('subject');
    const locals = { lang, dir, say, data, subject, host, look: lookNow(), answers: needs.answers };
    const form = async (name: 'html' | 'text') =>
      draw(`mail/${name}/layout`, { ...locals, body: await draw(`mail/${template}`, { ...locals, form: name }) });
    return { subject, html: await form('html'), text: tidy(await form('text')) };
  };
}
