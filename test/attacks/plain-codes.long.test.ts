/**
 * Codes that are sent with what they are not good for. Usual exchanges may be answered by a shorter way than the library's: it gives
 * nothing that the library would not, in the same words, and a code is good for its own app afterwards.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  accessToken,
  bothCodes,
  codeOf,
  expectRefused,
  OFFLINE,
  refreshToken,
  s256,
  same,
  WAYS,
} from '../support/both-codes.ts';
import type { BothCodes, Change } from '../support/both-codes.ts';
import { later } from '../support/both-grants.ts';
import { comparable, USUAL } from '../support/both-ways.ts';
import { askAs } from '../support/chains.ts';
import { userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow } from '../support/journey.ts';

let gatehouse: Running;
let both: BothCodes;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
});
afterAll(() => gatehouse.stop());
beforeEach(async () => {
  await later(0, gatehouse); // and stands still, so that a busy machine is not outside of a lifetime
  both = await bothCodes(gatehouse);
});
afterEach(backToNow);

const without =
  (wanted: string): Change =>
  (usual) =>
    usual.filter(([name]) => name !== wanted);
const changed =
  (wanted: string, change: (value: string) => string): Change =>
  (usual) =>
    usual.map(([name, value]) => [name, name === wanted ? change(value) : value]);
const to = (value: string) => () => value;
const beside =
  (name: string, value: string): Change =>
  (usual) => [...usual, [name, value]];

describe('a code', () => {
  it('is exchanged alike by both ways, for tokens that work', async () => {
    const tokens = await Promise.all((await both.two()).map((code, index) => both.exchange(code, WAYS[index]!)));
    expect(comparable(tokens[0]!)).toEqual(comparable(tokens[1]!));
    for (const one of tokens) {
      expect(one.status).toBe(200);
      expect((await userinfo(gatehouse, accessToken(one))).status).toBe(200);
      for (const way of WAYS) expect((await both.refresh(one, way)).status).toBe(200);
    }
  });

  const VERIFIER = 'code_verifier';
  const URI = 'redirect_uri';
  const otherLetter = (letter: string) => (letter === 'A' ? 'B' : 'A');
  const withOther = (place: number) => (value: string) =>
    value.slice(0, place) + otherLetter(value.at(place)!) + (place === -1 ? '' : value.slice(place + 1));

  it.each<[string, Change, string]>([
    ['another verifier', changed(VERIFIER, to('w'.repeat(43))), 'invalid_grant'],
    ['a letter of the verifier changed', changed(VERIFIER, withOther(0)), 'invalid_grant'],
    ['its last letter changed', changed(VERIFIER, withOther(-1)), 'invalid_grant'],
    ['the verifier in capitals', changed(VERIFIER, (value) => value.toUpperCase()), 'invalid_grant'],
    ['the challenge for the verifier', changed(VERIFIER, s256), 'invalid_grant'],
    ['no verifier', without(VERIFIER), 'invalid_grant'],
    ['an empty verifier', changed(VERIFIER, to('')), 'invalid_grant'],
    ['a verifier cut short', changed(VERIFIER, (value) => value.slice(0, 42)), 'invalid_request'],
    ['a verifier that goes on', changed(VERIFIER, (value) => `${value}A`), 'invalid_grant'],
    ['a verifier that is too long', changed(VERIFIER, (value) => value.padEnd(129, 'A')), 'invalid_request'],
    ['a verifier with padding', changed(VERIFIER, (value) => `${value}=`), 'invalid_request'],
    ['a space before the verifier', changed(VERIFIER, (value) => ` ${value}`), 'invalid_request'],
    ['a space after the verifier', changed(VERIFIER, (value) => `${value} `), 'invalid_request'],
    ['a line break after the verifier', changed(VERIFIER, (value) => `${value}\n`), 'invalid_request'],
    ['a null character after the verifier', changed(VERIFIER, (value) => `${value}\0`), 'invalid_request'],
    [
      'another letter for each of the verifier',
      changed(VERIFIER, (value) => 'ü'.repeat(value.length)),
      'invalid_request',
    ],
    ['the verifier twice', (usual) => [...usual, usual.find(([name]) => name === VERIFIER)!], 'invalid_request'],
    ['another verifier beside it', beside(VERIFIER, 'w'.repeat(43)), 'invalid_request'],
    ['an address with a slash', changed(URI, (uri) => `${uri}/`), 'invalid_grant'],
    ['an address with a capital', changed(URI, (uri) => uri.replace('callback', 'Callback')), 'invalid_grant'],
    ['an address of a capital host', changed(URI, (uri) => uri.replace('app.', 'App.')), 'invalid_grant'],
    ['an address with a query', changed(URI, (uri) => `${uri}?x`), 'invalid_grant'],
    ['an address with an empty query', changed(URI, (uri) => `${uri}?`), 'invalid_grant'],
    ['an address with a fragment', changed(URI, (uri) => `${uri}#`), 'invalid_grant'],
    ['an address with its port', changed(URI, (uri) => uri.replace('.example/', '.example:443/')), 'invalid_grant'],
    ['an address by http', changed(URI, (uri) => uri.replace('https', 'http')), 'invalid_grant'],
    ['a space after the address', changed(URI, (uri) => `${uri} `), 'invalid_grant'],
    ['an address elsewhere', changed(URI, to('https://evil.example/')), 'invalid_grant'],
    ['an address that is none', changed(URI, to('callback')), 'invalid_grant'],
    ['the address twice', (usual) => [...usual, usual.find(([name]) => name === URI)!], 'invalid_request'],
    ['the code twice', (usual) => [...usual, usual.find(([name]) => name === 'code')!], 'invalid_request'],
    ['another code beside it', beside('code', 'x'.repeat(43)), 'invalid_request'],
    ['its first letter changed', changed('code', withOther(0)), 'invalid_grant'],
    ['a letter in its middle changed', changed('code', withOther(20)), 'invalid_grant'],
    ['the last letter of it changed', changed('code', withOther(-1)), 'invalid_grant'],
    ['a letter less', changed('code', (code) => code.slice(0, -1)), 'invalid_grant'],
    ['a letter more', changed('code', (code) => `${code}A`), 'invalid_grant'],
    ['a space after it', changed('code', (code) => `${code} `), 'invalid_grant'],
    ['a code of nobody', changed('code', to('x'.repeat(43))), 'invalid_grant'],
    ['an empty code', changed('code', to('')), 'invalid_request'],
    ['no code', without('code'), 'invalid_request'],
    ['the name of what objects have for the code', changed('code', to('__proto__')), 'invalid_grant'],
  ])('with %s is refused, and still good for what it is', async (_what, change, error) => {
    const codes = await both.two();
    expectRefused(await both.answerTo(codes, change), error);
    expect((await both.answerTo(codes)).status).toBe(200);
  });

  it('of one login is of no use with the verifier of another', async () => {
    const [codes, others] = [await both.two(), await both.two()];
    const verifier = String(others[0]!.checks.pkceCodeVerifier);
    expectRefused(await both.answerTo(codes, changed(VERIFIER, to(verifier))));
    expect((await both.answerTo(codes)).status).toBe(200);
  });

  it.each<[string, string, number]>([
    ['of 43 letters', 'v'.repeat(43), 200],
    ['of 128 letters', 'v'.repeat(128), 200],
    ['of every sign there is', '~.-_'.repeat(11), 200],
    ['of 42 letters', 'v'.repeat(42), 400],
    ['of 129 letters', 'v'.repeat(129), 400],
    ['with a sign that verifiers do not have', `${'v'.repeat(43)}+`, 400],
    ['with letters beyond ASCII', 'ü'.repeat(43), 400],
  ])('is good with a right verifier %s, or not, by either way', async (_what, verifier, status) => {
    const codes = await both.two({ ...OFFLINE, code_challenge: s256(verifier) });
    expect((await both.answerTo(codes, changed(VERIFIER, to(verifier)))).status).toBe(status);
  });

  it('of an app with two addresses needs the one that it was sent to', async () => {
    both = await bothCodes(gatehouse, {
      first_party: true,
      redirect_uris: ['https://app.example/one', 'https://app.example/two'],
    });
    const codes = await both.two();
    const other = changed(URI, to('https://app.example/two'));
    expectRefused(await both.answerTo(codes, other));
    expectRefused(await both.answerTo(codes, without(URI)), 'invalid_request');
    expectRefused(await both.answerTo(codes, changed(URI, to(''))), 'invalid_request');
    expect((await both.answerTo(codes)).status).toBe(200);
  });

  it('of an app with one address need not name it', async () => {
    expect((await both.answerTo(await both.two(), without(URI))).status).toBe(200);
    expect((await both.answerTo(await both.two(), changed(URI, to('')))).status).toBe(200);
  });

  it('of one client is refused to another, and good for its own', async () => {
    const thief = await gatehouse.app({ first_party: true });
    const codes = await both.two();
    expectRefused(await both.answerTo(codes, same, thief));
    expect((await both.answerTo(codes)).status).toBe(200);
  });

  it('of an app without a secret is refused to others without one, and to whoever has any secret', async () => {
    both = await bothCodes(gatehouse, { type: 'spa', first_party: true });
    const codes = await both.two();
    const other = await gatehouse.app({ type: 'spa', first_party: true });
    expectRefused(await both.answerTo(codes, same, other));
    const pretending = { ...both.app, client_secret: 'any' };
    expectRefused(await both.answerTo(codes, same, pretending), 'invalid_client');
    expect((await both.answerTo(codes)).status).toBe(200);
  });

  it('is not a refresh token, and a refresh token no code', async () => {
    const codes = await both.two();
    const tokens = await both.exchange(codes[0]!, USUAL);
    const forged = changed('code', to(refreshToken(tokens)));
    expectRefused(await both.answerTo(await both.two(), forged));
    for (const way of WAYS) {
      const fields = { grant_type: 'refresh_token', refresh_token: codeOf(codes[1]!) };
      expectRefused(await askAs(gatehouse, both.app, Object.entries(fields), way));
    }
    expect((await both.exchange(codes[1]!, USUAL)).status).toBe(200);
  });

  it('lives to the second, and not a moment longer', async () => {
    const [codes, others] = [await both.two(), await both.two()];
    await later(59, gatehouse);
    expect((await both.answerTo(codes)).status).toBe(200);
    await later(1, gatehouse);
    expectRefused(await both.answerTo(others));
  });
});
