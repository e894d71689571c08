/** A browser in words, by what it says of itself. */
import Bowser from 'bowser';

/**
 * Such as `Firefox, Windows`: names of products only, so that it is the same in every language.
 * @returns null for what is no browser that we know.
 */
export function deviceName(userAgent: string): string | null {
  if (userAgent === '') return null;
  const parser = Bowser.getParser(userAgent);
  const names = [parser.getBrowserName(), parser.getOSName()].filter(Boolean);
  return names.length > 0 ? names.join(', ') : null;
}

/** What picture stands for it. */
export function deviceKind(userAgent: string): 'phone' | 'tablet' | 'computer' | 'unknown' {
  if (userAgent === '') return 'unknown';
  switch (Bowser.getParser(userAgent).getPlatformType()) {
    case 'mobile':
      return 'phone';
    case 'tablet':
      return 'tablet';
    case 'desktop':
      return 'computer';
    default:
      return 'unknown';
  }
}
