/**
 * The admin room: the JSON API for admins and their programs. It owns the list of routes, from which what is served, who may
 * ask, the OpenAPI document and the tests are derived. What is done it leaves to `administration/`.
 */
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { ClientDocuments } from '../administration/client-documents.ts';
import type { AppWarnings } from '../administration/app-warnings.ts';
import type { Apps } from '../administration/apps.ts';
import type { PeopleMoving } from '../administration/moving.ts';
import type { Inviting } from '../administration/invitations.ts';
import type { People } from '../administration/people.ts';
import type { Principal } from '../administration/principal.ts';
import type { Settings } from '../administration/settings.ts';
import type { Upstreams } from '../administration/upstreams.ts';
import type { ClaimTables } from '../administration/claim-tables.ts';
import type { Groups, Roles } from '../administration/roles.ts';
import type { TokenPreview } from '../administration/token-preview.ts';
import type { AdminScope } from '../administration/scopes.ts';
import type { KeysOverview } from '../keys/overview.ts';
import type { Rotation } from '../keys/rotation.ts';
import type { Audit } from '../audit/audit.ts';

export interface UseCases {
  people: People;
  inviting: Inviting;
  peopleMoving: PeopleMoving;
  apps: Apps;
  warnings: AppWarnings;
  clientDocuments: ClientDocuments;
  upstreams: Upstreams;
  settings: Settings;
  audit: Pick<Audit, 'search'>;
  keys: { overview(): Promise<KeysOverview>; rotation: Pick<Rotation, 'rotate' | 'compromise'> };
  roles: Roles;
  groups: Groups;
  claimTables: ClaimTables;
  preview: TokenPreview;
}

export interface Call<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  by: Principal;
  /** The version that `If-Match` names; undefined for any. */
  version: number | undefined;
  /** The body where the route takes files: not read yet. */
  file: { stream: Readable; type: string } | undefined;
}

export interface Answer {
  body?: unknown;
  /** In the place of a body. */
  file?: { stream: Readable; type: string; name: string };
  /** Of a single record: what its `ETag` is made of. */
  version?: number;
  /** Path below the API of what was made. */
  location?: string;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Definition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  /** Names the operation in the document, such as `listUsers`. */
  id: string;
  method: Method;
  /** Below `/admin/api/v1`, parameters in braces. */
  path: string;
  scope: AdminScope;
  tag: string;
  summary: string;
  /** Its body names a record, which may not be there. */
  bodyNames?: true;
  description?: string;
  params?: P;
  query?: Q;
  body?: B;
  /** Media types of files that it takes in the place of a JSON body. */
  takes?: string[];
  /** Media types of files that it answers with. */
  gives?: string[];
  answer: { status: 200 | 201 | 204; schema?: z.ZodType };
  /** `If-Match`: heeded where it is sent, or demanded. */
  ifMatch?: 'heeded' | 'demanded';
  /** Looks at the version that `If-Match` names, where `run` does not. @throws stale. */
  mustBe?(useCases: UseCases, params: z.output<P>, version: number): Promise<void>;
  /** `Idempotency-Key` is heeded. */
  idempotent?: boolean;
  /** What the rooms call a field that has another name here. */
  fieldNames?: Record<string, string>;
  run(useCases: UseCases, call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer>;
}

export type Route = Definition<z.ZodObject, z.ZodObject, z.ZodType>;

type Nothing = z.ZodObject<Record<never, never>>;

/** One entry of the list, its schemas giving `run` its types. */
export const route = <
  P extends z.ZodType = Nothing,
  Q extends z.ZodType = Nothing,
  B extends z.ZodType = z.ZodUndefined,
>(
  definition: Definition<P, Q, B>,
): Route => definition as unknown as Route;
