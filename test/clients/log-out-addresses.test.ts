/** Where an app may be told of a log-out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewClient } from '../../src/clients/clients.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

const APP: NewClient = { type: 'web', name: 'Notes', redirect_uris: ['https://notes.example/callback'] };

describe('registering log-out addresses', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  const register = (input: Partial<NewClient>) => gatehouse.clients.register({ ...APP, ...input });

  it.each([
    { backchannel_logout_uri: 'https://notes.example/logout?tenant=1' },
    { backchannel_logout_uri: 'https://other.example:8443/logout', backchannel_logout_session_required: true },
    { backchannel_logout_uri: 'http://localhost:3001/logout' },
    { backchannel_logout_uri: 'https://localhost:3001/logout' },
    { backchannel_logout_uri: 'http://127.0.0.1:3001/logout' },
    { frontchannel_logout_uri: 'https://notes.example/out' },
    { type: 'spa', frontchannel_logout_uri: 'https://notes.example/out', frontchannel_logout_session_required: true },
    { type: 'native', redirect_uris: ['com.example.notes:/callback'], backchannel_logout_uri: 'https://n.example/out' },
  ] satisfies Partial<NewClient>[])('%j is accepted, and kept', async (input) => {
    const { client } = await register(input);
    expect(await gatehouse.clients.get(client.id)).toMatchObject(input);
    const changed = await gatehouse.clients.update(client.id, { name: 'Other' }, undefined);
    expect(changed).toMatchObject(input);
  });

  it.each([
    [{ backchannel_logout_uri: 'http://notes.example/logout' }, 'backchannel_logout_uri'],
    [{ backchannel_logout_uri: 'https://notes.example/logout#x' }, 'backchannel_logout_uri'],
    [{ backchannel_logout_uri: 'https://user:pass@notes.example/' }, 'backchannel_logout_uri'],
    [{ backchannel_logout_uri: 'ftp://notes.example/' }, 'backchannel_logout_uri'],
    [{ backchannel_logout_uri: 'javascript:alert(1)' }, 'backchannel_logout_uri'],
    [{ backchannel_logout_uri: '/logout' }, 'backchannel_logout_uri'],
    [{ backchannel_logout_session_required: true }, 'backchannel_logout_session_required'],
    [{ frontchannel_logout_uri: 'https://evil.example/out' }, 'frontchannel_logout_uri'],
    [{ frontchannel_logout_uri: 'https://notes.example:444/out' }, 'frontchannel_logout_uri'],
    [{ frontchannel_logout_uri: 'https://notes.example/out#x' }, 'frontchannel_logout_uri'],
    [{ frontchannel_logout_session_required: true }, 'frontchannel_logout_session_required'],
    [
      { type: 'native', redirect_uris: ['com.example.notes:/cb'], frontchannel_logout_uri: 'https://n.example/' },
      'frontchannel_logout_uri',
    ],
    [{ type: 'service', redirect_uris: [], backchannel_logout_uri: 'https://n.example/' }, 'backchannel_logout_uri'],
  ] satisfies [Partial<NewClient>, string][])('%j is refused', async (input, field) => {
    await expect(register(input as Partial<NewClient>)).rejects.toMatchObject({ code: 'invalid_input', field });
  });
});
