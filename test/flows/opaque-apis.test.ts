/** APIs whose tokens are opaque: they ask each time, and see at once what has ended. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('an API with opaque tokens', () => {
  let gatehouse: Running;
  let api: App;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    api = await gatehouse.app({ type: 'api', scope: 'notes:read', access_token_format: 'opaque' });
    app = await gatehouse.app();
    rp = await relyingParty(gatehouse, app);
    person = await gatehouse.person({ roles: ['editor'] });
  });
  afterAll(() => gatehouse.stop());

  const tokens = (scope = 'openid email roles offline_access notes:read') =>
    rp.signIn(person, { scope, resource: api.resource! });
  const learns = async (token: unknown, who = api) => (await as(gatehouse, who).introspect(String(token))).body;

  it('gets tokens in one part, and learns by introspection what a JWT would say', async () => {
    const { access_token } = await tokens();
    expect(access_token).not.toContain('.');
    expect(await learns(access_token)).toMatchObject({
      active: true,
      aud: api.resource,
      sub: person.sub,
      client_id: app.client_id,
      email: person.email,
      roles: ['editor'],
    });
    expect(String((await learns(access_token))['scope']).split(' ')).toContain('notes:read');
  });

  it('gets them after a refresh too, and sees at once that their grant has ended', async () => {
    const { refresh_token } = await tokens();
    const { body } = await as(gatehouse, app).refresh(refresh_token!);
    expect(String(body['access_token'])).not.toContain('.');
    expect(await learns(body['access_token'])).toMatchObject({ active: true });
    await as(gatehouse, app).revoke(String(body['refresh_token']));
    expect(await learns(body['access_token'])).toEqual({ active: false });
  });

  it('gets them from services, and sees that one was revoked', async () => {
    const service = as(gatehouse, await gatehouse.app({ type: 'service', scope: 'notes:read' }));
    const { body } = await service.clientCredentials({ resource: api.resource!, scope: 'notes:read' });
    expect(await learns(body['access_token'])).toMatchObject({ active: true, scope: 'notes:read' });
    await service.revoke(String(body['access_token']));
    expect(await learns(body['access_token'])).toEqual({ active: false });
  });

  it('shares them with userinfo, where openid was granted', async () => {
    const { access_token } = await tokens();
    expect((await userinfo(gatehouse, access_token)).body).toMatchObject({ sub: person.sub, email: person.email });
  });

  it('alone learns of them, and the app', async () => {
    const { access_token } = await tokens();
    const another = await gatehouse.app({ type: 'api', scope: 'notes:read', access_token_format: 'opaque' });
    expect(await learns(access_token, another)).toEqual({ active: false });
    expect(await learns(access_token, app)).toMatchObject({ active: true });
  });

  it('may take JWTs again, from the next token on', async () => {
    const changing = await gatehouse.app({ type: 'api', scope: 'a', access_token_format: 'opaque' });
    await gatehouse.clients.update(changing.client_id, { access_token_format: 'jwt' });
    const { access_token } = await rp.signIn(person, { scope: 'openid a', resource: changing.resource! });
    expect(access_token.split('.')).toHaveLength(3);
  });

  it('is the only kind of client that has a form of tokens', async () => {
    await expect(gatehouse.app({ access_token_format: 'opaque' })).rejects.toMatchObject({
      field: 'access_token_format',
    });
  });
});
