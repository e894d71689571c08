/** Taking over how somebody else's sign-in began: the link to begin again knows the whole request of the app. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, begin, heading, linkNamed, passTime } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('whoever has the address of somebody else’s sign-in', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterEach(backToNow);
  afterAll(() => gatehouse.stop());

  async function overheard() {
    const victim = new Browser(gatehouse.issuer);
    const page = await begin(rp, victim, { state: 'the app’s secret', login_hint: 'ada@example.com' });
    return { victim, page, restart: `${page.url.pathname}/restart` };
  }

  it('cannot begin it again, with cookies of their own or without any', async () => {
    const { restart } = await overheard();
    const stranger = new Browser(gatehouse.issuer);
    await begin(rp, stranger);
    for (const browser of [stranger, new Browser(gatehouse.issuer)]) {
      const answer = await browser.request(restart);
      expect(answer.status).toBe(400);
      expect(answer.headers.get('location')).toBeNull();
      expect(await answer.text()).not.toMatch(/secret|ada@example/);
    }
  });

  it('cannot begin it again with a guessed mark of the browser', async () => {
    const { restart } = await overheard();
    for (const cookie of ['gatehouse_csrf=', 'gatehouse_csrf=x', 'gatehouse_csrf=undefined']) {
      const answer = await fetch(gatehouse.issuer + restart, { headers: { cookie }, redirect: 'manual' });
      expect(answer.status).toBe(400);
    }
  });

  it('while the browser that it was made for still can, also when it has expired', async () => {
    const { victim, page, restart } = await overheard();
    expect((await victim.request(restart)).headers.get('location')).toContain('state=the+app');
    passTime(3601);
    const late = await victim.open(page.url);
    expect(heading(await victim.open(linkNamed(late, 'Start again')))).toBe('Sign in to Acme Notes');
  });
});
