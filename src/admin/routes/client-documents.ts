/** Apps that sign people in without registration. Their ids are URLs, and so stand in the body rather than in the path. */
import { z } from 'zod';
import { clientDocument, listOf, page } from '../schemas.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';

const tag = 'Apps without registration';
const client_id = z.string().max(200).meta({ description: 'The URL that is its `client_id`.' });

export const clientDocumentRoutes: Route[] = [
  route({
    id: 'listClientDocuments',
    method: 'GET',
    path: '/client-documents',
    scope: 'clients:read',
    tag,
    summary: 'Those that a person allowed, and those that are denied, in the order of their URLs',
    query: z.strictObject(page),
    answer: { status: 200, schema: listOf('ClientDocumentList', clientDocument) },
    run: async ({ clientDocuments }, { query }) => ({ body: await clientDocuments.list(query) }),
  }),
  route({
    id: 'denyClientDocument',
    method: 'POST',
    path: '/client-documents/deny',
    scope: 'clients:write',
    tag,
    summary: 'Nobody signs in to it any more; its tokens and what people allowed it end',
    body: z.strictObject({ client_id, reason: z.string().max(300).optional() }),
    answer: { status: 204 },
    async run({ clientDocuments }, { body }) {
      await clientDocuments.deny(body.client_id, body.reason);
      return {};
    },
  }),
  route({
    id: 'allowClientDocument',
    method: 'POST',
    path: '/client-documents/allow',
    scope: 'clients:write',
    tag,
    summary: 'One that was denied may ask people again',
    bodyNames: true,
    body: z.strictObject({ client_id }),
    answer: { status: 204 },
    async run({ clientDocuments }, { body }) {
      await clientDocuments.allow(body.client_id);
      return {};
    },
  }),
];
