/** The shape of a record of what happened. */
import { z } from 'zod';
import { moment, name } from './schema-parts.ts';

const who = z.object({ kind: z.string(), id: z.string().nullable() });

export const auditEntry = name(
  'AuditEntry',
  z.object({
    seq: z.int().meta({ description: 'Its place in the chain.' }),
    id: z.string(),
    at: moment,
    type: z.string(),
    actor: who.meta({
      description: '`person`, `admin`, `client`, `operator` (the command line; by the name of its user) or `system`.',
    }),
    target: who.meta({ description: 'Of a person the `sub`; once they are erased, the pseudonym that is left.' }),
    network: z.string().nullable(),
    device: z.string().nullable(),
    detail: z.record(z.string(), z.string()),
    reference: z
      .string()
      .nullable()
      .meta({ description: 'The `Reference` header of the answer to the request that did it.' }),
  }),
);
