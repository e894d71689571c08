/** Nobody is signed out by another site, by an app's hint about somebody else, or by guessing. */
import { buildEndSessionUrl } from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { heading } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { signInTo, startParty } from '../support/log-out-receiver.ts';
import type { Party } from '../support/log-out-receiver.ts';

const BYE = 'https://notes.example/bye';

describe('log-out', () => {
  let gatehouse: Running;
  let notes: Party;
  let photos: Party;
  let person: Person;
  let browser: Browser;

  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    notes = await startParty(gatehouse, 'Notes', { post_logout_redirect_uris: [BYE] });
    photos = await startParty(gatehouse, 'Photos', { post_logout_redirect_uris: ['https://photos.example/bye'] });
  });
  beforeEach(async () => {
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
    notes.tokens.length = 0;
  });
  afterAll(async () => {
    await Promise.all([notes.stop(), photos.stop()]);
    await gatehouse.stop();
  });

  async function isSignedIn(): Promise<boolean> {
    const { url } = await notes.rp.request({ scope: 'openid', prompt: 'none' });
    return (await browser.open(url)).url.searchParams.has('code');
  }
  async function nothingHappened(): Promise<void> {
    expect(await isSignedIn()).toBe(true);
    expect(notes.tokens).toEqual([]);
    expect((await gatehouse.storage.logout.list('waiting', {})).items).toEqual([]);
  }

  it('takes more than opening an address, with whatever in it', async () => {
    const { id_token } = await signInTo(notes, person, browser);
    const forged = [
      buildEndSessionUrl(notes.rp.config, { id_token_hint: id_token!, post_logout_redirect_uri: BYE }).href,
      `${gatehouse.issuer}/session/end?logout=yes`,
      `${gatehouse.issuer}/session/end/confirm?logout=yes`,
    ];
    for (const address of forged) await browser.open(address);
    await nothingHappened();
  });

  it.each([
    ['without the secret of the page', { logout: 'yes' }],
    ['with a guessed one', { logout: 'yes', xsrf: '0'.repeat(48) }],
    ['with two', { logout: 'yes', xsrf: ['a', 'b'] }],
  ])('sent by another site %s ends nothing', async (_what, fields: Record<string, string | string[]>) => {
    await signInTo(notes, person, browser);
    await browser.open('/session/end');
    const body = new URLSearchParams(
      Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one])),
    );
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const answer = await browser.request('/session/end/confirm', { method: 'POST', body, headers });
    expect(answer.status).toBe(400);
    await nothingHappened();
  });

  it('with the secret of another person’s page ends nothing', async () => {
    await signInTo(notes, person, browser);
    await browser.open('/session/end');
    const attacker = new Browser(gatehouse.issuer);
    await signInTo(photos, await gatehouse.person(), attacker);
    const page = await attacker.open('/session/end');
    const xsrf = page.html.querySelector('input[name=xsrf]')!.getAttribute('value')!;
    const body = new URLSearchParams({ logout: 'yes', xsrf });
    expect((await browser.request('/session/end/confirm', { method: 'POST', body })).status).toBe(400);
    await nothingHappened();
  });

  it('by the hint of another person asks the one who is here, by name', async () => {
    await signInTo(notes, person, browser);
    const stranger = await gatehouse.person();
    const { id_token } = await signInTo(notes, stranger, new Browser(gatehouse.issuer));
    const page = await browser.open(buildEndSessionUrl(notes.rp.config, { id_token_hint: id_token! }));
    expect(heading(page)).toBe('Sign out of Gatehouse?');
    expect(page.text).toContain(person.email);
    expect(page.text).not.toContain(stranger.email);
    await nothingHappened();
  });

  it.each([
    ['by the hint of another client leads to no address of this one', (token: string) => ({ id_token_hint: token })],
    [
      'by the hint of one client in the name of another is refused',
      (token: string) => ({ id_token_hint: token, client_id: '' }),
    ],
  ])('%s', async (_what, parameters) => {
    const { id_token } = await signInTo(photos, person, browser);
    await signInTo(notes, person, browser);
    const asked = { ...parameters(id_token!), post_logout_redirect_uri: BYE };
    const query = new URLSearchParams({
      ...asked,
      ...('client_id' in asked ? { client_id: notes.app.client_id } : {}),
    });
    const page = await browser.open(`/session/end?${query.toString()}`);
    expect(page.status).toBe(400);
    await nothingHappened();
  });

  it.each(['x', 'eyJhbGciOiJub25lIn0.eyJhdWQiOiJhIn0.', 'a.b.c'])('by a forged hint (%s) is refused', async (hint) => {
    await signInTo(notes, person, browser);
    const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: BYE });
    const page = await browser.open(`/session/end?${query.toString()}`);
    expect(page.status).toBe(400);
    expect(page.headers.get('refresh') ?? page.headers.get('location')).toBeNull();
    await nothingHappened();
  });

  it('takes no log-out tokens itself, and its pages have no address for them', async () => {
    await signInTo(notes, person, browser);
    for (const path of ['/account/backchannel-logout', '/playground/backchannel-logout', '/backchannel-logout']) {
      const body = new URLSearchParams({ logout_token: 'eyJhbGciOiJub25lIn0.e30.' });
      const answer = await fetch(gatehouse.issuer + path, { method: 'POST', body });
      expect(answer.status).toBeGreaterThanOrEqual(400);
    }
    await nothingHappened();
  });
});
