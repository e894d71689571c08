/** The shape of what goes wrong. */
import { z } from 'zod';
import { name } from './schema-parts.ts';

export const problem = name(
  'Problem',
  z
    .object({
      type: z.string(),
      title: z.string(),
      status: z.int(),
      detail: z.string().optional(),
      reference: z.string().meta({ description: 'Ties the answer to a line of the log.' }),
      errors: z
        .array(
          z.object({
            detail: z.string(),
            pointer: z.string().optional().meta({ description: 'JSON pointer of the wrong field of the body.' }),
            parameter: z.string().optional().meta({ description: 'Name of the wrong parameter of the query or path.' }),
          }),
        )
        .optional(),
    })
    .meta({ description: 'What went wrong (RFC 9457).' }),
);
