/** Tokens issued, refreshed and revoked are in the record, and nobody waits for it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { as } from '../../support/endpoints.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { relyingParty } from '../../support/relying-party.ts';

let gatehouse: Running;
beforeAll(async () => {
  gatehouse = await startGatehouse();
});
afterAll(() => gatehouse.stop());

async function recordsOf(target: string) {
  await gatehouse.audit.idle();
  const { items } = await gatehouse.audit.search({ target });
  return items.filter(({ type }) => type.startsWith('token_')).toReversed();
}

it('of a person who signs in, with the app, the grant and the scope, and no token', async () => {
  const app = await gatehouse.app({ first_party: true });
  const person = await gatehouse.person();
  const rp = await relyingParty(gatehouse, app);
  const tokens = await rp.signIn(person, { scope: 'openid offline_access', prompt: 'consent' });
  const { body } = await as(gatehouse, app).refresh(tokens.refresh_token!);
  await as(gatehouse, app).revoke(String(body['refresh_token']));
  const found = await recordsOf(app.client_id);
  expect(found.map(({ type, actor, detail }) => [type, actor, detail['grant_type'] ?? detail['token']])).toEqual([
    ['token_issued', { kind: 'person', id: person.sub }, 'authorization_code'],
    ['token_refreshed', { kind: 'person', id: person.sub }, 'refresh_token'],
    ['token_revoked', { kind: 'person', id: person.sub }, 'refresh_token'],
  ]);
  expect(found[0]!.detail['scope']).toContain('offline_access');
  const text = JSON.stringify(found);
  for (const token of [tokens.access_token, tokens.refresh_token!, String(body['access_token'])])
    expect(text).not.toContain(token);
  expect(await gatehouse.audit.verify()).toMatchObject({ ok: true });
});

it('of a program, its JWTs that it hands back too; the same at once is one record that says how often', async () => {
  const api = await gatehouse.app({ type: 'api', name: 'Files', scope: 'read', redirect_uris: [] });
  const app = await gatehouse.app({ type: 'service', name: 'Nightly job', scope: 'read', redirect_uris: [] });
  const ask = () => as(gatehouse, app).clientCredentials({ resource: api.resource!, scope: 'read' });
  const answers = await Promise.all([ask(), ask(), ask()]);
  await as(gatehouse, app).revoke(String(answers[0].body['access_token']));
  const found = await recordsOf(app.client_id);
  const issued = found.filter(({ type }) => type === 'token_issued');
  expect(issued.reduce((sum, { detail }) => sum + Number(detail['count'] ?? 1), 0)).toBe(3);
  expect(issued[0]).toMatchObject({ actor: { kind: 'client', id: app.client_id }, detail: { resource: api.resource } });
  expect(found.at(-1)).toMatchObject({ type: 'token_revoked', detail: { token: 'access_token' } });
});

it('of nobody that a person reads on their own page', async () => {
  const person = await gatehouse.person();
  const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
  await rp.signIn(person);
  await gatehouse.audit.idle();
  const { items } = await gatehouse.audit.listByAccount(person.sub, {});
  expect(items.map(({ type }) => type)).toEqual(['sign_in']);
});

it('that an erased person leaves behind name nobody', async () => {
  const person = await gatehouse.person();
  const app = await gatehouse.app({ first_party: true });
  const rp = await relyingParty(gatehouse, app);
  await rp.signIn(person);
  await gatehouse.access.remove(person.sub);
  expect(JSON.stringify(await recordsOf(app.client_id))).not.toContain(person.sub);
  expect(await gatehouse.storage.audit.findSubject(person.sub)).toBeUndefined();
  expect(await gatehouse.audit.verify()).toMatchObject({ ok: true });
});
