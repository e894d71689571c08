/** Token requests while the store is away. Usual ones may be answered by a shorter way than the library's: either way nothing is lost. */
import { afterEach, describe, expect, it } from 'vitest';
import { accessToken, bothCodes, OFFLINE, WAYS } from '../support/both-codes.ts';
import { comparable, headerOf, UNUSUAL, USUAL } from '../support/both-ways.ts';
import type { Told } from '../support/both-ways.ts';
import { withOutages } from '../support/breakable.ts';
import { userinfo } from '../support/endpoints.ts';
import { backToNow, passTime } from '../support/journey.ts';

const outages = withOutages();
afterEach(backToNow);

function expectAwayAlike([usual, unusual]: Told[]): void {
  expect(comparable(usual!)).toEqual(comparable(unusual!));
  expect(usual!.status).toBe(503);
  expect(headerOf(usual!, 'retry-after')).toMatch(/^\d+$/);
  expect(usual!.body['error']).toBe('temporarily_unavailable');
}

describe('both forms are told when to come again, and then', () => {
  it('the same code is good', async () => {
    const { gatehouse } = outages;
    const both = await bothCodes(gatehouse);
    const codes = await both.two();
    const send = () => Promise.all(codes.map((code, index) => both.exchange(code, WAYS[index]!)));
    expectAwayAlike(await outages.during(send));
    const tokens = await both.answerTo(codes);
    expect((await userinfo(gatehouse, accessToken(tokens))).status).toBe(200);
  });

  it('the same refresh token is good', async () => {
    const { gatehouse } = outages;
    const both = await bothCodes(gatehouse);
    const [usual, unusual] = await both.two(OFFLINE);
    const given = [await both.exchange(usual!, USUAL), await both.exchange(unusual!, UNUSUAL)];
    const send = () => Promise.all(given.map((tokens, index) => both.refresh(tokens, WAYS[index]!)));
    expectAwayAlike(await outages.during(send));
    passTime(60); // beyond the window, in which a token that was used unnoticed would work once more
    const answers = [await both.refresh(given[0]!, USUAL), await both.refresh(given[1]!, UNUSUAL)];
    expect(comparable(answers[0]!)).toEqual(comparable(answers[1]!));
    expect(answers[0]!.status).toBe(200);
  });
});
