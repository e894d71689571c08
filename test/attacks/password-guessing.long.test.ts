/** Guessing passwords: one account, many accounts, in a row and at once, from one address and from many. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, backToNow, begin, fieldValue, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';
import { MEASURED } from '../support/timing.ts';

const WRONG = 'tr0ubadour and stapler';
/** The defaults of the configuration. */
const PER_PAIR = 10;
const PER_ACCOUNT = 30;
const PER_ADDRESS = 100;

/** How many tries were looked at, and how many were not. */
function tally(answers: Page[]) {
  const statuses = answers.map(({ status }) => status);
  return {
    looked_at: statuses.filter((status) => status === 401).length,
    refused: statuses.filter((s) => s === 429).length,
  };
}

describe('whoever guesses passwords', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_TRUSTED_PROXIES: 'loopback' });
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  // Time stands still, so that a busy machine is not outside of a window or a lock-out.
  beforeEach(() => passTime(0));
  afterEach(backToNow);
  afterAll(() => gatehouse.stop());

  let next = 0;
  /** A network that no other test comes from. */
  const elsewhere = () => `198.51.${Math.floor(next / 250)}.${(next++ % 250) + 1}`;

  /** A person or a robot at a sign-in form, behind our proxy. */
  async function visitor(address = elsewhere()) {
    const browser = new Browser(gatehouse.issuer);
    browser.headers['x-forwarded-for'] = address;
    const page = await begin(rp, browser);
    const enter = (email: string, password = WRONG) => browser.submit(page, { email, password });
    /** A whole sign-in that ends at the app. */
    const signIn = ({ email, password }: Person) => rp.signIn({ email, password, sub: '' }, {}, browser);
    return { browser, enter, signIn, address };
  }

  it('has ten tries for one account from one address, in a row', async () => {
    const { email, password } = await gatehouse.person();
    const { enter } = await visitor();
    const answers: Page[] = [];
    for (let index = 0; index < 15; index += 1) answers.push(await enter(email));
    expect(tally(answers)).toEqual({ looked_at: PER_PAIR, refused: 5 });
    // The right one, too late: nothing tells it from the wrong ones.
    const late = await enter(email, password);
    expect(late.status).toBe(429);
    expect(late.text).toBe((await enter(email)).text);
  });

  it('has no more at the same instant', async () => {
    const { email } = await gatehouse.person();
    const { enter } = await visitor();
    expect(tally(await atOnce(100, () => enter(email)))).toEqual({ looked_at: PER_PAIR, refused: 90 });
    expect((await enter(email)).status).toBe(429);
  });

  it('has thirty for one account from a hundred addresses, in a row and at the same instant', async () => {
    const [slow, fast] = [await gatehouse.person(), await gatehouse.person()];
    const crowd = await Promise.all(Array.from({ length: 50 }, () => visitor()));
    const answers: Page[] = [];
    for (const { enter } of crowd) answers.push(await enter(slow.email));
    expect(tally(answers)).toEqual({ looked_at: PER_ACCOUNT, refused: 20 });
    const together = await atOnce(100, (index) => crowd[index % 50]!.enter(fast.email));
    expect(tally(together)).toEqual({ looked_at: PER_ACCOUNT, refused: 70 });
  });

  it('has a hundred for all accounts from one address, at the same instant and in a row', async () => {
    const { address } = await visitor();
    const robots = await Promise.all(Array.from({ length: 5 }, () => visitor(address)));
    const answers = await atOnce(130, (index) => robots[index % 5]!.enter(`victim-${index}@example.com`));
    expect(tally(answers)).toEqual({ looked_at: PER_ADDRESS, refused: 30 });
    expect((await robots[0]!.enter('one-more@example.com')).status).toBe(429);
    const { email, password } = await gatehouse.person();
    expect((await robots[0]!.enter(email, password)).status).toBe(429);
    // Everybody else goes on.
    await (await visitor()).signIn({ email, password, sub: '' });
  });

  it('is told how long to wait, on the form, with what was typed kept', async () => {
    const { email } = await gatehouse.person();
    const { enter } = await visitor();
    await atOnce(PER_PAIR, () => enter(email));
    const page = await enter(email);
    expect(page.status).toBe(429);
    expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(Number(page.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(alertText(page)).toBe('Too many tries. Wait a minute and try again.');
    expect(fieldValue(page, 'email')).toBe(email);
    expect(fieldValue(page, 'password')).toBe('');
  });

  it('waits longer each time: a minute, five, fifteen, an hour, and an hour from then on', async () => {
    const { email } = await gatehouse.person();
    const { address } = await visitor();
    const waits: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const { enter } = await visitor(address);
      expect(tally(await atOnce(PER_PAIR, () => enter(email))).looked_at).toBe(PER_PAIR);
      const wait = Number((await enter(email)).headers.get('retry-after'));
      waits.push(Math.round(wait / 60));
      passTime(wait - 2);
      expect((await (await visitor(address)).enter(email)).status).toBe(429);
      // Past the hour in which all who guess at one account are counted together.
      passTime(3600);
    }
    expect(waits).toEqual([1, 5, 15, 60, 60]);
  });

  it('hears the same about an account that does not exist', async () => {
    const { email } = await gatehouse.person();
    const answers = await Promise.all(
      [email, 'nobody-at-all@example.com'].map(async (who) => {
        const { enter } = await visitor();
        const tries = [];
        for (let index = 0; index < 12; index += 1) tries.push(await enter(who));
        return tries.map(({ status, headers, text }) => ({
          status,
          headers: [...headers.keys()].sort(),
          text: text.replaceAll(who, '').replace(/name="_csrf" value="[^"]*"|interaction\/[\w-]+/g, ''),
        }));
      }),
    );
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]!.at(-1)!.status).toBe(429);
  });

  it('gets no hash for a refused try, so that refusing costs next to nothing', MEASURED, async () => {
    const costly = await startGatehouse({ GATEHOUSE_PASSWORDS_MEMORY_KIB: '65536', GATEHOUSE_PASSWORDS_QUEUE: '100' });
    const browser = new Browser(costly.issuer);
    const page = await begin(await relyingParty(costly, await costly.app()), browser);
    const enter = () => browser.submit(page, { email: 'nobody@example.com', password: WRONG });
    const timed = async (count: number) => {
      const started = performance.now();
      for (let index = 0; index < count; index += 1) await enter();
      return performance.now() - started;
    };
    const looked_at = await timed(PER_PAIR);
    const refused = await timed(PER_PAIR);
    expect(refused).toBeLessThan(looked_at / 2);
    await costly.stop();
  });

  it('does not use up the tries of an account by tries that are refused', async () => {
    const { email } = await gatehouse.person();
    const robot = await visitor();
    await atOnce(100, () => robot.enter(email));
    const crowd = await Promise.all([visitor(), visitor()]);
    const answers = await Promise.all(crowd.map(({ enter }) => atOnce(PER_PAIR, () => enter(email))));
    expect(answers.map(tally)).toEqual([
      { looked_at: PER_PAIR, refused: 0 },
      { looked_at: PER_PAIR, refused: 0 },
    ]);
  });

  it('does not hide among right passwords: those of somebody else from there bring no tries back', async () => {
    const own = await gatehouse.person();
    const { enter, browser } = await visitor();
    for (let round = 0; round < 4; round += 1) {
      await atOnce(25, (index) => enter(`sprayed-${round}-${index}@example.com`));
      const again = await begin(rp, browser);
      if (round < 3)
        expect((await browser.submit(again, { email: own.email, password: own.password })).status).not.toBe(429);
    }
    expect((await enter('sprayed-last@example.com')).status).toBe(429);
  });

  describe('locks nobody else out', () => {
    it('of an account they use: a device that signed in before still may', async () => {
      const person = await gatehouse.person();
      const owner = await visitor();
      await owner.signIn(person);
      const crowd = await Promise.all(Array.from({ length: 10 }, () => visitor()));
      await atOnce(60, (index) => crowd[index % 10]!.enter(person.email));
      expect((await (await visitor()).enter(person.email, person.password)).status).toBe(429);

      const [known] = (await owner.browser.jar.getCookies(gatehouse.issuer)).filter(
        ({ key }) => key === 'gatehouse_device',
      );
      expect(known).toMatchObject({ httpOnly: true, sameSite: 'lax' });
      await owner.browser.jar.removeAllCookies();
      await owner.browser.jar.setCookie(known!, gatehouse.issuer);
      // Without its signature it is nobody's.
      const page = await begin(rp, owner.browser);
      expect((await owner.browser.submit(page, person)).status).toBe(429);
    });

    it('not even after mistyping from there, and by its own budget only', async () => {
      const person = await gatehouse.person();
      const owner = await visitor();
      await owner.signIn(person);
      const robot = await visitor(owner.address);
      await atOnce(60, (index) => robot.enter(index < 30 ? person.email : `sprayed-${index}@example.com`));
      const page = await begin(rp, owner.browser, { prompt: 'login' });
      const mistyped = await owner.browser.submit(page, { email: person.email, password: WRONG });
      expect(mistyped.status).toBe(401);
      const right = await owner.browser.submit(page, { email: person.email, password: person.password });
      expect(right.status).not.toBe(429);
      // A stolen cookie is worth ten tries.
      const again = await begin(rp, owner.browser, { prompt: 'login' });
      const stolen = await atOnce(20, () => owner.browser.submit(again, { email: person.email, password: WRONG }));
      expect(tally(stolen)).toEqual({ looked_at: PER_PAIR, refused: 10 });
    });

    it('who proves the password from elsewhere while one robot guesses', async () => {
      const person = await gatehouse.person();
      const robot = await visitor();
      await atOnce(100, () => robot.enter(person.email));
      await (await visitor()).signIn(person);
    });

    it('for longer than the lock-out lasts', async () => {
      const person = await gatehouse.person();
      const crowd = await Promise.all(Array.from({ length: 5 }, () => visitor()));
      await atOnce(100, (index) => crowd[index % 5]!.enter(person.email));
      const stranger = await visitor();
      expect((await stranger.enter(person.email, person.password)).status).toBe(429);
      passTime(61);
      await stranger.signIn(person);
    });
  });

  it('forgets a known device when the password changes', async () => {
    const person = await gatehouse.person();
    const thief = await visitor();
    await thief.signIn(person);
    await gatehouse.access.setPassword(person.sub, 'a new and better one');
    const crowd = await Promise.all(Array.from({ length: 5 }, () => visitor()));
    await atOnce(60, (index) => crowd[index % 5]!.enter(person.email));
    const page = await begin(rp, thief.browser);
    expect((await thief.browser.submit(page, { email: person.email, password: WRONG })).status).toBe(429);
  });

  it('plants no device: a browser that becomes known gets a mark that nobody else has seen', async () => {
    const [attacker, victim] = [await gatehouse.person(), await gatehouse.person()];
    const own = await visitor();
    await own.signIn(attacker);
    const planted = await own.browser.jar.getCookies(gatehouse.issuer);
    const target = await visitor();
    for (const cookie of planted.filter(({ key }) => key.startsWith('gatehouse_device')))
      await target.browser.jar.setCookie(cookie, gatehouse.issuer);
    await target.signIn(victim);
    const crowd = await Promise.all(Array.from({ length: 5 }, () => visitor()));
    await atOnce(60, (index) => crowd[index % 5]!.enter(victim.email));
    await own.browser.jar.removeAllCookies();
    for (const cookie of planted.filter(({ key }) => key.startsWith('gatehouse_device')))
      await own.browser.jar.setCookie(cookie, gatehouse.issuer);
    const page = await begin(rp, own.browser);
    expect((await own.browser.submit(page, { email: victim.email, password: WRONG })).status).toBe(429);
  });
});
