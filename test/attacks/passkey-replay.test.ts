import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser, Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, backToNow, begin, browserFor, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { Authenticator } from '../support/passkey-authenticator.ts';
import type { Options } from '../support/passkey-authenticator.ts';
import { optionsOf, passkeyForm, SAME_ORIGIN, sendAnswer, withPasskey } from '../support/passkeys.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('a challenge', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let person: Person;
  let device: Authenticator;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    person = await gatehouse.person();
    device = await withPasskey(gatehouse, person);
  });
  afterAll(() => gatehouse.stop());
  beforeEach(async () => {
    browser = browserFor(rp);
    page = await begin(rp, browser);
  });
  afterEach(backToNow);

  const stale = async (answer: Promise<Page>) => {
    const { status, ...rest } = await answer;
    expect([status, alertText({ status, ...rest })]).toEqual([
      400,
      'That took too long, or was done before. Try your passkey again, or sign in another way.',
    ]);
  };
  const arrived = ({ url }: Page) => url.origin === 'https://app.example';

  it('answered by fifty at the same moment lets one in', async () => {
    const credential = device.get(await optionsOf(browser, page));
    const { action, csrf } = passkeyForm(page);
    const answers = await atOnce(50, () =>
      browser.request(action, {
        method: 'POST',
        body: new URLSearchParams({ _csrf: csrf, credential }),
        headers: SAME_ORIGIN,
      }),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 400)).toHaveLength(49);
  });

  it('is used up by a wrong answer too', async () => {
    const options = await optionsOf(browser, page);
    expect((await sendAnswer(browser, page, device.get(options, { foreignKey: true }))).status).toBe(401);
    await stale(sendAnswer(browser, page, device.get(options)));
  });

  it('of another browser is worth nothing here, and stays good there', async () => {
    const other = browserFor(rp);
    const otherPage = await begin(rp, other);
    const answer = device.get(await optionsOf(other, otherPage));
    await stale(sendAnswer(browser, page, answer));
    expect(arrived(await sendAnswer(other, otherPage, answer))).toBe(true);
  });

  it('of another sign-in in the same browser is worth nothing', async () => {
    const options = await optionsOf(browser, page);
    await stale(sendAnswer(browser, await begin(rp, browser), device.get(options)));
  });

  it('made up, or of a registration, is worth nothing', async () => {
    await stale(sendAnswer(browser, page, device.get({ challenge: 'A'.repeat(43), rpId: 'localhost' })));
    const binding = `interaction:${page.url.pathname.split('/').at(-1)!}`;
    const holder = { id: person.sub, email: person.email, name: 'x' };
    const { challenge } = (await gatehouse.passkeys!.registrationOptions(binding, holder)) as Options;
    await stale(sendAnswer(browser, page, device.get({ challenge, rpId: 'localhost' })));
    const { challenge: second } = (await gatehouse.passkeys!.confirmOptions(binding, person.sub)) as Options;
    await stale(sendAnswer(browser, page, device.get({ challenge: second, rpId: 'localhost' })));
  });

  it('is good for five minutes', async () => {
    const [first, second] = [await optionsOf(browser, page), await optionsOf(browser, page)];
    passTime(301);
    await stale(sendAnswer(browser, page, device.get(first)));
    passTime(-10);
    expect(arrived(await sendAnswer(browser, page, device.get(second)))).toBe(true);
  });

  it('does not pile up: of many the newest eight are good', async () => {
    const asked: Options[] = [];
    for (let time = 0; time < 10; time += 1) asked.push(await optionsOf(browser, page));
    await stale(sendAnswer(browser, page, device.get(asked[1]!)));
    expect(arrived(await sendAnswer(browser, page, device.get(asked[2]!)))).toBe(true);
  });

  it('of a registration makes one passkey, however often its answer is sent', async () => {
    const { sub, email } = await gatehouse.person();
    const passkeys = gatehouse.passkeys!;
    const asked = await passkeys.registrationOptions('b', { id: sub, email, name: 'x' });
    const answers = Array.from({ length: 20 }, () => new Authenticator(gatehouse.issuer).create(asked as Options));
    const results = await atOnce(20, (index) => passkeys.register('b', sub, answers[index]!));
    expect(results.filter((result) => 'passkey' in result)).toHaveLength(1);
    expect(await passkeys.list(sub)).toHaveLength(1);
  });
});
