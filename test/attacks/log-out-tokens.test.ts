/** Forged and replayed log-out tokens, at an app that verifies them as the example does; each differs from a good one in one thing. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { logOutTokens } from '../../examples/session-app/log-out-tokens.ts';
import { backToNow, passTime } from '../support/journey.ts';

const ISSUER = 'https://login.example';
const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

describe('a log-out token', () => {
  let server: Server;
  let jwksUri: string;
  let ours: Keys;
  let read: ReturnType<typeof logOutTokens>;
  let serial = 0;

  beforeAll(async () => {
    ours = await generateKeyPair('ES256');
    const keys = [{ ...(await exportJWK(ours.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }];
    server = createServer((_req, res) => void res.end(JSON.stringify({ keys })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  beforeEach(() => {
    read = logOutTokens({ issuer: ISSUER, clientId: 'app', jwksUri });
  });
  afterEach(backToNow);
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const good = () => ({ iss: ISSUER, aud: 'app', sub: 'ada', sid: 's1', jti: `t${(serial += 1)}`, events: EVENTS });
  const sign = (claims: object, header: { typ?: string; kid?: string } = {}, keys = ours) =>
    new SignJWT({ ...good(), ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'logout+jwt', ...header })
      .setIssuedAt()
      .setExpirationTime('2m')
      .sign(keys.privateKey);

  it('that is good says whose session ends', async () => {
    expect(await read(await sign({}))).toEqual({ sub: 'ada', sid: 's1' });
    expect(await read(await sign({ sid: undefined }))).toEqual({ sub: 'ada' });
    expect(await read(await sign({ sub: undefined }))).toEqual({ sid: 's1' });
  });

  it.each([
    ['for another app', { aud: 'another' }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['with a nonce, as ID tokens have one', { nonce: 'n' }],
    ['without the event', { events: {} }],
    ['with the event as a text', { events: 'http://schemas.openid.net/event/backchannel-logout' }],
    ['that names nobody', { sub: undefined, sid: undefined }],
    ['without an id of its own', { jti: undefined }],
  ])('%s is refused', async (_what, claims) => {
    await expect(read(await sign(claims))).rejects.toThrow();
  });

  it('of another type is refused: an ID token ends nothing', async () => {
    await expect(read(await sign({}, { typ: 'JWT' }))).rejects.toThrow();
  });

  it('signed by somebody else, or by nobody, is refused', async () => {
    const theirs = await generateKeyPair('ES256');
    await expect(read(await sign({}, {}, theirs))).rejects.toThrow();
    await expect(read(await sign({}, { kid: 'k2' }, theirs))).rejects.toThrow();
    const unsigned = new UnsecuredJWT(good()).setIssuedAt().setExpirationTime('2m').encode();
    await expect(read(unsigned)).rejects.toThrow();
    await expect(read('')).rejects.toThrow();
  });

  it('that was tampered with is refused', async () => {
    const [header, , signature] = (await sign({})).split('.');
    const payload = Buffer.from(JSON.stringify({ ...good(), sub: 'eve', iat: 1, exp: 9e9 })).toString('base64url');
    await expect(read(`${header}.${payload}.${signature}`)).rejects.toThrow();
  });

  it('that is old is refused', async () => {
    const token = await sign({});
    passTime(200);
    await expect(read(token)).rejects.toThrow();
  });

  it('sent again is refused, as long as it would be good', async () => {
    const token = await sign({});
    await read(token);
    passTime(100);
    await expect(read(token)).rejects.toThrow('used before');
  });
});
