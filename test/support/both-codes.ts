/** Codes of one person at one app, which are exchanged as usual and otherwise. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { NewClient } from '../../src/clients/clients.ts';
import { comparable, UNUSUAL, USUAL } from './both-ways.ts';
import type { Beside, Told } from './both-ways.ts';
import { Browser } from './browser.ts';
import { askAs } from './chains.ts';
import type { Fields } from './chains.ts';
import { exchangeOf, userinfo } from './endpoints.ts';
import type { Running } from './gatehouse.ts';
import { authorize } from './journey.ts';
import type { App, Authorized, Person } from './journey.ts';
import { relyingParty } from './relying-party.ts';

export const WAYS = [USUAL, UNUSUAL] as const;
export const OFFLINE = { scope: 'openid email offline_access' };

export const refreshToken = ({ body }: Told) => String(body['refresh_token']);
export const accessToken = ({ body }: Told) => String(body['access_token']);
export const codeOf = ({ callback }: Authorized) => callback.searchParams.get('code')!;
export const s256 = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');
/** What is to be sent in place of the usual. */
export type Change = (usual: Fields) => Fields;
export const same: Change = (usual) => usual;

const errorOf = ({ status, body }: Told) => [status, body['error']];
export function expectRefused(told: Told, error = 'invalid_grant'): void {
  expect(errorOf(told)).toEqual([error === 'invalid_client' ? 401 : 400, error]);
}

export interface BothCodes {
  app: App;
  person: Person;
  /** A code, of a new session unless said. */
  one(parameters?: Record<string, string>, browser?: Browser): Promise<Authorized>;
  /** One for each form. */
  two(parameters?: Record<string, string>, browser?: Browser): Promise<Authorized[]>;
  exchange(code: Authorized, way: Beside, change?: Change, by?: App): Promise<Told>;
  /** Sends a code of its own in each form. @returns the answer, which is the same. */
  answerTo(codes: Authorized[], change?: Change, by?: App): Promise<Told>;
  refresh(tokens: Told, way: Beside): Promise<Told>;
  /** That tokens were given, and are good for nothing any more. */
  expectDead(tokens: Told): Promise<void>;
}

export async function bothCodes(
  gatehouse: Running,
  input: Partial<NewClient> = { first_party: true },
): Promise<BothCodes> {
  const person = await gatehouse.person();
  const app = await gatehouse.app(input);
  const rp = await relyingParty(gatehouse, app);

  const one: BothCodes['one'] = (parameters = OFFLINE, browser = new Browser(gatehouse.issuer)) =>
    authorize(rp, person, parameters, browser);
  const exchange: BothCodes['exchange'] = (code, way, change = same, by = app) =>
    askAs(gatehouse, by, change(Object.entries(exchangeOf(app, code))), way);
  const refresh: BothCodes['refresh'] = (tokens, way) =>
    askAs(gatehouse, app, Object.entries({ grant_type: 'refresh_token', refresh_token: refreshToken(tokens) }), way);
  return {
    app,
    person,
    one,
    two: async (parameters, browser) => [await one(parameters, browser), await one(parameters, browser)],
    exchange,
    async answerTo(codes, change, by) {
      const [usual, unusual] = [
        await exchange(codes[0]!, USUAL, change, by),
        await exchange(codes[1]!, UNUSUAL, change, by),
      ];
      expect(comparable(usual)).toEqual(comparable(unusual));
      return usual;
    },
    refresh,
    async expectDead(tokens) {
      expect(tokens.status).toBe(200);
      expect((await userinfo(gatehouse, accessToken(tokens))).status).toBe(401);
      if ('refresh_token' in tokens.body) for (const way of WAYS) expectRefused(await refresh(tokens, way));
    },
  };
}
