/** Whatever ends a session, the apps that took part in it are told, and the person is told which of them know. */
import { buildEndSessionUrl } from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { as } from '../support/endpoints.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, heading, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { signInTo, startParty, toldTimes, verifyLogOutToken } from '../support/log-out-receiver.ts';
import type { Party } from '../support/log-out-receiver.ts';
import { relyingParty } from '../support/relying-party.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const BYE = 'https://notes.example/bye';

describe('apps at a log-out', () => {
  let gatehouse: Running;
  let notes: Party;
  let photos: Party;
  let person: Person;
  let browser: Browser;

  const party = (name: string) => startParty(gatehouse, name, { post_logout_redirect_uris: [BYE] });

  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
  });
  beforeEach(async () => {
    [notes, photos] = await Promise.all([party('Notes'), party('Photos')]);
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
  });
  afterEach(async () => {
    backToNow();
    await Promise.all([notes.stop(), photos.stop()]);
  });
  afterAll(() => gatehouse.stop());

  const signIn = (app: Party, scope = 'openid', at = browser) => signInTo(app, person, at, scope);
  const logOut = async (parameters: Record<string, string> = {}): Promise<Page> => {
    const page = await browser.open(buildEndSessionUrl(notes.rp.config, parameters));
    return browser.submit(page, { logout: 'yes' });
  };
  const received = (app: Party, count = 1) => toldTimes(app, count);
  const waiting = async () => (await gatehouse.storage.logout.list('waiting', { limit: 500 })).items;

  it('are all told, by a signed token about this person and this session', async () => {
    const [a, b] = [await signIn(notes), await signIn(photos)];
    await logOut();
    await Promise.all([received(notes), received(photos)]);
    for (const [{ app, tokens }, signedIn] of [
      [notes, a],
      [photos, b],
    ] as const) {
      const { payload } = await verifyLogOutToken(tokens[0]!, gatehouse.issuer, app.client_id);
      expect(payload).toMatchObject({ sub: person.sub, sid: signedIn.claims()!['sid'], events: { [EVENT]: {} } });
      expect(payload.jti).toBeTypeOf('string');
      expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(120);
      expect(payload).not.toHaveProperty('nonce');
    }
    expect(a.claims()!['sid']).not.toBe(b.claims()!['sid']);
  });

  it('are told in the algorithm that they registered for ID tokens', async () => {
    const app = await gatehouse.app({ backchannel_logout_uri: notes.url, id_token_signed_response_alg: 'ES256' });
    await signIn({ ...notes, rp: await relyingParty(gatehouse, app) });
    await logOut();
    await received(notes);
    const { protectedHeader } = await verifyLogOutToken(notes.tokens[0]!, gatehouse.issuer, app.client_id);
    expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'logout+jwt' });
  });

  it('are told though they have no living token any more', async () => {
    const { access_token, refresh_token } = await signIn(notes, 'openid offline_access');
    await as(gatehouse, notes.app).revoke(refresh_token!);
    await as(gatehouse, notes.app).revoke(access_token);
    await logOut();
    await received(notes);
  });

  it('are told long after they signed somebody in, while the session goes on', async () => {
    await signIn(notes);
    for (let day = 0; day < 60; day += 1) {
      passTime(80_000);
      await signIn(photos);
    }
    await logOut();
    await received(notes);
  });

  it('that signed in at the same moment in two tabs are both told', async () => {
    await signIn(notes);
    await Promise.all([signIn(notes), signIn(photos)]);
    await logOut();
    await received(photos);
    expect(notes.tokens.length).toBeGreaterThanOrEqual(1);
  });

  it('are not told of a log-out on another device', async () => {
    const there = new Browser(gatehouse.issuer);
    await signIn(notes, 'openid', there);
    await signIn(photos);
    await logOut();
    await received(photos);
    expect(notes.tokens).toEqual([]);
  });

  it('in which nobody took part are told nothing', async () => {
    await signIn(notes);
    await logOut();
    await received(notes);
    expect(photos.tokens).toEqual([]);
    expect(await waiting()).toEqual([]);
  });

  describe('the page afterwards', () => {
    it('says which have signed the person out', async () => {
      await signIn(notes);
      await signIn(photos);
      const page = await logOut();
      expect(heading(page)).toBe('You are signed out');
      expect(page.url.pathname).toMatch(/^\/signed-out\/[\w-]{22}$/);
      expect(page.html.querySelector('[role=status]')?.text).toBe('Every app that we can tell has signed you out.');
      expect(statesOn(page)).toEqual({ Notes: 'Signed out', Photos: 'Signed out' });
      expect(page.html.querySelector('meta[http-equiv=refresh]')).toBeNull();
    });

    it('says which are still being told, and looks again by itself until they are', async () => {
      let release = () => undefined as void;
      photos.answer((res) => void (release = () => void res.writeHead(200).end()));
      await signIn(notes);
      await signIn(photos);
      const page = await logOut();
      expect(page.html.querySelector('[role=status]')?.text).toBe('Apps that have answered: 1 of 2.');
      expect(statesOn(page)).toEqual({ Notes: 'Signed out', Photos: 'Being told' });
      const refresh = page.html.querySelector('noscript')!.innerHTML;
      expect(refresh).toContain(`content="2;url=${page.url.pathname}?again=1"`);
      release();
      await eventually(async () =>
        expect(statesOn(await browser.open(`${page.url.pathname}?again=1`))).toEqual({
          Notes: 'Signed out',
          Photos: 'Signed out',
        }),
      );
      expect((await browser.open(page.url)).text).not.toContain('http-equiv="refresh"');
    });

    it('says which do not answer, and stops looking after a while', async () => {
      photos.status(500);
      await signIn(photos);
      const page = await logOut();
      expect(statesOn(page)).toEqual({ Photos: 'No answer yet' });
      passTime(61);
      const later = await browser.open(`${page.url.pathname}?again=1`);
      expect(later.text).not.toContain('http-equiv="refresh"');
      expect(later.text).toContain('Look again');
    });

    it('goes back to the app at once where all have answered', async () => {
      const { id_token } = await signIn(notes);
      const page = await logOut({ id_token_hint: id_token!, post_logout_redirect_uri: BYE, state: 's' });
      expect(page.url.href).toBe(`${BYE}?state=s`);
      expect(notes.tokens).toHaveLength(1);
    });

    it('holds nobody up: it goes back to the app soon where one does not answer, which is told all the same', async () => {
      photos.answer(() => undefined);
      const { id_token } = await signIn(notes);
      await signIn(photos);
      const page = await logOut({ id_token_hint: id_token!, post_logout_redirect_uri: BYE, state: 's' });
      expect(statesOn(page)).toEqual({ Notes: 'Signed out', Photos: 'Being told' });
      expect(page.html.querySelector('.gh-actions a')!.getAttribute('href')).toBe(`${BYE}?state=s`);
      passTime(4);
      expect((await browser.open(`${page.url.pathname}?again=1`)).url.href).toBe(`${BYE}?state=s`);
      photos.status(200);
      passTime(600);
      await received(photos, 2);
      const [first, second] = photos.claims();
      expect(second!.jti).toBe(first!.jti);
    });

    it('is nobody else’s: without its ticket it says no more than that one is signed out', async () => {
      await signIn(notes);
      const { url } = await logOut();
      const guessed = await browser.open(`${url.pathname.slice(0, -4)}abcd`);
      expect(guessed.text).not.toContain('Notes');
      passTime(3700);
      expect((await browser.open(url)).text).not.toContain('Notes');
    });
  });
});

/** What the page says of each app. */
function statesOn(page: Page): Record<string, string> {
  const rows = page.html.querySelectorAll('.gh-receipt li');
  return Object.fromEntries(
    rows.map((row) => [
      row.querySelector('.gh-receipt__name')!.text.trim(),
      row.querySelector('.gh-chip')!.text.trim(),
    ]),
  );
}
