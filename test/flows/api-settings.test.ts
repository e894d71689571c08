/** What an API says of its scopes and tokens, and what comes of it. */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../support/admin-api.ts';
import type { Api } from '../support/admin-api.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, beginConsent, browserFor, passTime } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

let gatehouse: Running;
let api: Api;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  api = await program(gatehouse);
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

const lifeOf = (token: unknown): number => {
  const { exp, iat } = decodeJwt(String(token));
  return exp! - iat!;
};

describe('an API', () => {
  it('is read in its own words by the person who is asked for its scopes', async () => {
    const notes = await api.post('/apis', {
      client_name: 'Notes API',
      scope: 'notes:read notes:purge',
      scope_descriptions: { 'notes:read': 'Read <b>your</b> notes', 'notes:gone': 'Of no scope of it' },
    });
    expect(notes.body['scope_descriptions']).toEqual({ 'notes:read': 'Read <b>your</b> notes' });
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const resource = String(notes.body['resource']);
    const person = await gatehouse.person();
    const page = await beginConsent(rp, browserFor(rp), person, { scope: 'openid notes:read notes:purge', resource });
    const details = page.html.querySelectorAll('.gh-item__detail').map(({ text }) => text);
    expect(details).toContain('Read <b>your</b> notes');
    expect(details).toContain('notes:purge');
    expect(page.html.querySelectorAll('.gh-item__detail b')).toHaveLength(0);
  });

  it('has tokens of its own life and algorithm, also when refreshed, until that is changed', async () => {
    const notes = await gatehouse.app({
      type: 'api',
      scope: 'notes:read',
      access_token_lifetime: 60,
      access_token_signing_alg: 'RS256',
    });
    const app = await gatehouse.app({ first_party: true });
    const rp = await relyingParty(gatehouse, app);
    const tokens = await rp.signIn(await gatehouse.person(), {
      scope: 'openid offline_access notes:read',
      resource: notes.resource!,
    });
    expect(tokens.expires_in).toBe(60);
    expect(lifeOf(tokens.access_token)).toBe(60);
    expect(decodeProtectedHeader(tokens.access_token).alg).toBe('RS256');
    expect((await as(gatehouse, notes).introspect(tokens.access_token)).body).toMatchObject({ active: true });

    await gatehouse.clients.update(notes.client_id, { access_token_lifetime: 120, access_token_signing_alg: null });
    passTime(2);
    const { body } = await as(gatehouse, app).refresh(tokens.refresh_token!);
    expect(lifeOf(body['access_token'])).toBe(120);
    expect(decodeProtectedHeader(String(body['access_token'])).alg).toBe('ES256');
  });

  it('whose tokens live longer than others finds them good for all their life', async () => {
    const notes = await gatehouse.app({ type: 'api', scope: 'notes:read', access_token_lifetime: 7200 });
    const rp = await relyingParty(gatehouse, await gatehouse.app({ type: 'spa', first_party: true }));
    const { access_token } = await rp.signIn(await gatehouse.person(), {
      scope: 'openid notes:read',
      resource: notes.resource!,
    });
    passTime(7000);
    // The session that the grant ends with is not what ends it: it lives for days.
    expect((await as(gatehouse, notes).introspect(access_token)).body).toMatchObject({ active: true });
    passTime(300);
    expect((await as(gatehouse, notes).introspect(access_token)).body).toEqual({ active: false });
  });

  it('hears what is wrong with its settings, and an app has none', async () => {
    const wrong = async (body: object) => {
      const { status, body: problem } = await api.post('/apis', { client_name: 'Odd', scope: 'a', ...body });
      return [status, (problem['errors'] as { pointer: string }[])[0]!.pointer];
    };
    expect(await wrong({ access_token_lifetime: 5 })).toEqual([400, '#/access_token_lifetime']);
    expect(await wrong({ access_token_lifetime: 90_000 })).toEqual([400, '#/access_token_lifetime']);
    expect(await wrong({ access_token_signing_alg: 'none' })).toEqual([400, '#/access_token_signing_alg']);
    expect(await wrong({ access_token_signing_alg: 'HS256' })).toEqual([400, '#/access_token_signing_alg']);
    expect(await wrong({ scope_descriptions: { a: 'left\u202eright' } })).toEqual([400, '#/scope_descriptions']);
    await expect(gatehouse.app({ scope_descriptions: { a: 'b' } })).rejects.toMatchObject({
      field: 'scope_descriptions',
    });
  });
});
