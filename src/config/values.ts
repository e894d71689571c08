/** Kinds of values that several sections of the configuration have. */
import { z } from 'zod';

export const seconds = (fallback: number, text: string) =>
  z
    .int()
    .positive()
    .default(fallback)
    .meta({ description: `${text} In seconds.` });
export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
