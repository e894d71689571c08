/** Apps that can only be told by the browser are asked in frames, on one page and from nowhere else. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { passTime, backToNow } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { signInTo, startParty } from '../support/log-out-receiver.ts';
import type { Party } from '../support/log-out-receiver.ts';
import { relyingParty } from '../support/relying-party.ts';

const BOARD = 'https://board.example';

describe('an app with a frontchannel_logout_uri', () => {
  let gatehouse: Running;
  let board: Party;
  let notes: Party;
  let person: Person;
  let browser: Browser;

  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    notes = await startParty(gatehouse, 'Notes');
    const app = await gatehouse.app({
      type: 'spa',
      name: 'Board',
      redirect_uris: [`${BOARD}/callback`],
      post_logout_redirect_uris: [`${BOARD}/bye`],
      frontchannel_logout_uri: `${BOARD}/signed-out?from=gatehouse`,
      frontchannel_logout_session_required: true,
    });
    board = { ...notes, app, rp: await relyingParty(gatehouse, app) };
  });
  beforeEach(async () => {
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
  });
  afterAll(async () => {
    await notes.stop();
    await gatehouse.stop();
  });

  const logOut = async (query = ''): Promise<Page> =>
    browser.submit(await browser.open(`/session/end${query}`), { logout: 'yes' });
  const frames = (page: Page) => page.html.querySelectorAll('iframe');
  const policy = (page: Page) => page.headers.get('content-security-policy')!;

  it('is promised by discovery', async () => {
    const answer = await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`);
    expect(await answer.json()).toMatchObject({
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
  });

  it('is opened in a frame with the issuer and its own session, and is said to have been asked', async () => {
    const { claims } = await signInTo(board, person, browser).then((tokens) => ({ claims: tokens.claims()! }));
    const page = await logOut();
    expect(frames(page)).toHaveLength(1);
    const url = new URL(frames(page)[0]!.getAttribute('src')!);
    expect(url.origin + url.pathname).toBe(`${BOARD}/signed-out`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      from: 'gatehouse',
      iss: gatehouse.issuer,
      sid: claims['sid'],
    });
    expect(page.html.querySelector('.gh-chip')!.text).toBe('Asked');
    expect(page.text).toContain('It does not say whether it did.');
    expect(page.text).not.toContain('Every app that we can tell');
  });

  it('can neither lead the page away nor open windows from its frame', async () => {
    await signInTo(board, person, browser);
    const frame = frames(await logOut())[0]!;
    expect(frame.getAttribute('sandbox')).toBe('allow-scripts allow-same-origin');
    expect(frame.getAttribute('referrerpolicy')).toBe('no-referrer');
    expect(frame.getAttribute('title')).toBeTruthy();
  });

  it('may be framed by that page, it alone, and only where it took part', async () => {
    await signInTo(board, person, browser);
    const page = await logOut();
    expect(policy(page)).toMatch(new RegExp(`;frame-src ${BOARD}$`));
    expect(policy(await browser.open(`${page.url.pathname}?again=1`))).not.toContain('frame-src');
    expect(frames(await browser.open(`${page.url.pathname}?again=1`))).toEqual([]);
    await signInTo(notes, person, browser);
    const other = await logOut();
    expect(frames(other)).toEqual([]);
    expect(policy(other)).not.toContain('frame-src');
    expect(policy(await browser.open('/session/end'))).not.toContain('frame-src');
  });

  it('is given a few seconds before the person goes on to the app', async () => {
    const { id_token } = await signInTo(board, person, browser);
    const query = new URLSearchParams({ id_token_hint: id_token!, post_logout_redirect_uri: `${BOARD}/bye` });
    const page = await logOut(`?${query.toString()}`);
    expect(frames(page)).toHaveLength(1);
    expect(page.html.querySelector('noscript')!.innerHTML).toContain(`content="4;url=${page.url.pathname}?again=1"`);
    passTime(4);
    expect((await browser.open(`${page.url.pathname}?again=1`)).url.href).toBe(`${BOARD}/bye`);
    backToNow();
  });

  it('that also has a back channel is told by that', async () => {
    const app = await gatehouse.app({
      name: 'Both',
      redirect_uris: [`${BOARD}/callback`],
      frontchannel_logout_uri: `${BOARD}/signed-out`,
      backchannel_logout_uri: notes.url,
    });
    await signInTo({ ...notes, app, rp: await relyingParty(gatehouse, app) }, person, browser);
    const page = await logOut();
    expect(frames(page)).toEqual([]);
    expect(page.html.querySelector('.gh-chip')!.text).toBe('Signed out');
  });

  it('and one with no way at all are told apart', async () => {
    const app = await gatehouse.app({ name: 'Mute', redirect_uris: ['https://mute.example/callback'] });
    await signInTo(board, person, browser);
    await signInTo({ ...notes, app, rp: await relyingParty(gatehouse, app) }, person, browser);
    const chips = (await logOut()).html.querySelectorAll('.gh-chip').map(({ text }) => text);
    expect(chips.toSorted()).toEqual(['Asked', 'Not told']);
  });
});
