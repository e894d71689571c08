import type { ToldWarning } from '../administration/app-warnings.ts';
import type { Output } from './output.ts';

/** In a form that is safe on a terminal: names are anybody's. */
export const warn = (output: Output, found: ToldWarning[]): void =>
  output.warn(found.map(({ message }) => message.replace(/[\p{Cc}\p{Cf}]/gu, '?')));
