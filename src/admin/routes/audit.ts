/** The record of what happened. */
import { z } from 'zod';
import { ACT_TYPES, EVENT_TYPES } from '../../audit/event.ts';
import { route } from '../route.ts';
import * as shapes from '../schemas.ts';

const moment = z.iso.datetime().optional();

export const auditRoutes = [
  route({
    id: 'listAudit',
    method: 'GET',
    path: '/audit',
    scope: 'audit:read',
    tag: 'Audit',
    summary: 'What happened, newest first',
    query: z.strictObject({
      ...shapes.page,
      type: z.enum([...EVENT_TYPES, ...ACT_TYPES]).optional(),
      actor: z.string().max(200).optional().meta({ description: 'Who did it: a `sub` or a client id.' }),
      target: z.string().max(200).optional().meta({ description: 'To whom: a `sub` or a client id.' }),
      reference: z
        .string()
        .max(40)
        .optional()
        .meta({ description: 'The code of an error page, or of an answer of this API.' }),
      from: moment.meta({ description: 'From then on.' }),
      to: moment.meta({ description: 'Before then.' }),
    }),
    answer: { status: 200, schema: shapes.listOf('AuditList', shapes.auditEntry) },
    run: async ({ audit }, { query }) => ({ body: await audit.search(query) }),
  }),
];
