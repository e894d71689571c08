/** People. */
import { z } from 'zod';
import { publicAccount } from '../../accounts/account.ts';
import type { Account } from '../../accounts/account.ts';
import type { SessionOverview } from '../../oidc/sessions.ts';
import { route } from '../route.ts';
import type { UseCases } from '../route.ts';
import * as shapes from '../schemas.ts';

const tag = 'People';
const params = z.strictObject({ sub: z.string().max(400).meta({ description: 'The `sub`, or the e-mail address.' }) });
const one = (account: Account) => ({ body: publicAccount(account), version: account.version });
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
const ofSession = ({ since, last_seen, ...rest }: SessionOverview) => ({
  ...rest,
  began_at: iso(since),
  last_seen_at: iso(last_seen),
});

const act = {
  method: 'POST',
  scope: 'users:write',
  tag,
  params,
  ifMatch: 'heeded',
  mustBe: ({ people }: UseCases, { sub }: z.output<typeof params>, version: number) => people.mustBe(sub, version),
} as const;
const gives = <T extends z.ZodType>(schema: T) => ({ status: 200 as const, schema });
const NOTHING_TO_SAY = { status: 204 } as const;

export const userRoutes = [
  route({
    id: 'listUsers',
    method: 'GET',
    path: '/users',
    scope: 'users:read',
    tag,
    summary: 'People, oldest first; those who are searched for, in the order of the words that were found',
    query: z.strictObject({
      ...shapes.page,
      search: shapes.search,
      role: z.string().max(100).optional(),
      group: z.string().max(100).optional(),
      state: z.enum(['active', 'suspended', 'deleting']).optional(),
    }),
    answer: gives(shapes.listOf('UserList', shapes.user)),
    async run({ people }, { query: { search, ...query } }) {
      const { items, next } = await people.search({ ...query, text: search });
      return { body: { items: items.map(publicAccount), next } };
    },
  }),
  route({
    id: 'createUser',
    method: 'POST',
    path: '/users',
    scope: 'users:write',
    tag,
    summary: 'Create a person',
    body: shapes.newUser,
    idempotent: true,
    answer: { status: 201, schema: shapes.user },
    async run({ people }, { by, body }) {
      const account = await people.create(by, body);
      return { ...one(account), location: `/users/${account.id}` };
    },
  }),
  route({
    id: 'getUser',
    method: 'GET',
    path: '/users/{sub}',
    scope: 'users:read',
    tag,
    summary: 'One person',
    params,
    answer: gives(shapes.user),
    run: async ({ people }, { params: { sub } }) => one(await people.get(sub)),
  }),
  route({
    id: 'changeUser',
    method: 'PATCH',
    path: '/users/{sub}',
    scope: 'users:write',
    tag,
    summary: 'Change a person',
    params,
    body: shapes.userChange,
    ifMatch: 'demanded',
    answer: gives(shapes.user),
    run: async ({ people }, { by, params: { sub }, body, version }) => one(await people.edit(by, sub, body, version)),
  }),
  route({
    id: 'deleteUser',
    method: 'DELETE',
    path: '/users/{sub}',
    scope: 'users:write',
    tag,
    summary: 'Erase a person, with everything that acts in their name',
    params,
    ifMatch: 'heeded',
    answer: NOTHING_TO_SAY,
    async run({ people }, { by, params: { sub }, version }) {
      await people.remove(by, sub, version);
      return {};
    },
  }),
  route({
    ...act,
    id: 'assignUser',
    path: '/users/{sub}/assign',
    summary: 'Give and take away roles and groups, whatever else changes at the moment',
    body: shapes.reassignment,
    answer: gives(shapes.user),
    run: async ({ people }, { by, params: { sub }, body }) => one(await people.assign(by, sub, body)),
  }),
  route({
    ...act,
    id: 'suspendUser',
    path: '/users/{sub}/suspend',
    summary: 'End all sessions and tokens of a person and let none begin',
    answer: gives(shapes.user),
    run: async ({ people }, { by, params: { sub } }) => one(await people.suspend(by, sub)),
  }),
  route({
    ...act,
    id: 'resumeUser',
    path: '/users/{sub}/resume',
    summary: 'Let a suspended person sign in again',
    answer: gives(shapes.user),
    run: async ({ people }, { by, params: { sub } }) => one(await people.resume(by, sub)),
  }),
  route({
    ...act,
    id: 'unlockUser',
    path: '/users/{sub}/unlock',
    summary: 'Forget wrong passwords and codes of a person, and end lock-outs',
    answer: gives(shapes.unlocked),
    async run({ people }, { by, params: { sub } }) {
      const { account, counters_cleared } = await people.unlock(by, sub);
      return { body: { sub: account.id, counters_cleared } };
    },
  }),
  route({
    ...act,
    id: 'setPassword',
    path: '/users/{sub}/password',
    summary: 'Set a password; sessions and tokens end, and the person is told by mail',
    body: shapes.newPassword,
    answer: gives(shapes.user),
    run: async ({ people }, { by, params: { sub }, body }) => one(await people.setPassword(by, sub, body.password)),
  }),
  route({
    ...act,
    id: 'demandNewPassword',
    path: '/users/{sub}/demand-new-password',
    summary: 'At the next sign-in by password the person chooses another one before they go on',
    answer: gives(shapes.user),
    run: async ({ people }, { by, params: { sub } }) => one(await people.demandNewPassword(by, sub)),
  }),
  route({
    ...act,
    id: 'waiveNewPassword',
    path: '/users/{sub}/waive-new-password',
    summary: 'Take back that a new password was demanded',
    answer: gives(shapes.user),
    run: async ({ people }, { by, params: { sub } }) => one(await people.waiveNewPassword(by, sub)),
  }),
  route({
    ...act,
    id: 'changeEmail',
    path: '/users/{sub}/email',
    summary: 'Change the e-mail address: by a link mailed to the new one, or at once',
    body: shapes.newEmail,
    answer: gives(shapes.user),
    run: async ({ people }, { by, params: { sub }, body: { email, confirmed = false } }) =>
      one(await people.changeEmail(by, sub, email, { confirmed })),
  }),
  route({
    id: 'getSignInMethods',
    method: 'GET',
    path: '/users/{sub}/sign-in-methods',
    scope: 'users:read',
    tag,
    summary: 'What a person proves who they are with',
    params,
    answer: gives(shapes.signInMethods),
    run: async ({ people }, { params: { sub } }) => ({ body: await people.signInMethods(sub) }),
  }),
  route({
    ...act,
    id: 'resetFactors',
    path: '/users/{sub}/reset-factors',
    summary: 'Take all second factors, passkeys and remembered devices away; sessions and tokens end',
    answer: gives(shapes.user),
    run: async ({ people }, { by, params: { sub } }) => one(await people.resetFactors(by, sub)),
  }),
  route({
    id: 'removePasskey',
    method: 'DELETE',
    path: '/users/{sub}/passkeys/{passkey_id}',
    scope: 'users:write',
    tag,
    summary: 'Remove one passkey, unless it is the last way in',
    params: params.extend({ passkey_id: z.string().max(2000) }),
    answer: NOTHING_TO_SAY,
    async run({ people }, { by, params: { sub, passkey_id } }) {
      await people.removePasskey(by, sub, passkey_id);
      return {};
    },
  }),
  route({
    id: 'listConsents',
    method: 'GET',
    path: '/users/{sub}/consents',
    scope: 'users:read',
    tag,
    summary: 'What a person has allowed which apps',
    params,
    answer: gives(shapes.listOf('ConsentList', shapes.consent)),
    run: async ({ people }, { params: { sub } }) => ({ body: { items: await people.consents(sub) } }),
  }),
  route({
    id: 'withdrawConsent',
    method: 'DELETE',
    path: '/users/{sub}/consents/{client_id}',
    scope: 'users:write',
    tag,
    summary: 'Forget what a person allowed an app; its tokens stop working',
    params: params.extend({ client_id: z.string().max(200) }),
    answer: NOTHING_TO_SAY,
    async run({ people }, { by, params: { sub, client_id } }) {
      await people.withdrawConsent(by, sub, client_id);
      return {};
    },
  }),
];

export const sessionRoutes = [
  route({
    id: 'listAllSessions',
    method: 'GET',
    path: '/sessions',
    scope: 'sessions:read',
    tag: 'Sessions',
    summary: 'Where people are signed in: the sessions of everybody, those used last first',
    query: z.strictObject(shapes.page),
    answer: gives(shapes.listOf('AllSessions', shapes.sessionOfSomebody)),
    async run({ people }, { query }) {
      const { items, next } = await people.allSessions(query);
      return { body: { items: items.map(({ account_id, ...one }) => ({ ...ofSession(one), sub: account_id })), next } };
    },
  }),
  route({
    id: 'listSessions',
    method: 'GET',
    path: '/users/{sub}/sessions',
    scope: 'sessions:read',
    tag: 'Sessions',
    summary: 'Where a person is signed in, the session used last first',
    params,
    answer: gives(shapes.listOf('SessionList', shapes.session)),
    run: async ({ people }, { params: { sub } }) => ({ body: { items: (await people.sessions(sub)).map(ofSession) } }),
  }),
  route({
    id: 'endSession',
    method: 'DELETE',
    path: '/users/{sub}/sessions/{session_id}',
    scope: 'sessions:write',
    tag: 'Sessions',
    summary: 'Sign a person out of one session, with the tokens that end with it',
    params: params.extend({ session_id: z.string().max(200) }),
    answer: NOTHING_TO_SAY,
    async run({ people }, { by, params: { sub, session_id } }) {
      await people.endSession(by, sub, session_id);
      return {};
    },
  }),
  route({
    id: 'endSessions',
    method: 'DELETE',
    path: '/users/{sub}/sessions',
    scope: 'sessions:write',
    tag: 'Sessions',
    summary: 'Sign a person out everywhere',
    params,
    answer: NOTHING_TO_SAY,
    async run({ people }, { by, params: { sub } }) {
      await people.signOut(by, sub);
      return {};
    },
  }),
];
