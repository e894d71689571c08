/** What others typed, before it goes into a mail that we vouch for. */

const LONGEST = 200;
const LONGEST_NAME = 60;
/** Line breaks and other controls, and what reverses or hides text. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;
/** What mail programs make a link of. */
const LINK_LIKE = /[:/\\@]|\S\.\p{L}{2}/u;

/** One line of visible text, cut where it is too long. */
export function oneLine(text: string, longest = LONGEST): string {
  const line = text.normalize('NFC').replace(INVISIBLE, ' ').replace(/\s+/g, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= longest ? line : `${characters.slice(0, longest - 1).join('')}…`;
}

/**
 * A name to greet by. Anybody can sign up with anybody's address: a name like "Win at evil.example" would make us send the
 * advertisement, so such a one is left out.
 */
export function greetable(name: string): string | undefined {
  const line = oneLine(name, LONGEST_NAME);
  return line === '' || LINK_LIKE.test(line) ? undefined : line;
}

/** The data of a mail as its template may use them: texts of one line, whole numbers; all else is left out. */
export function cleanData(data: Record<string, unknown>): Record<string, string | number> {
  const entries = Object.entries(data).flatMap(([name, value]): [string, string | number][] => {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return [[name, value]];
    if (typeof value !== 'string') return [];
    const text = name === 'name' ? greetable(value) : name === 'url' ? value : oneLine(value);
    return text === undefined || text === '' ? [] : [[name, text]];
  });
  return Object.fromEntries(entries);
}
