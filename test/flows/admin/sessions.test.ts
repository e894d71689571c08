/** Sessions across people: an admin sees where everybody is signed in, and ends what should not be. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../support/admin-api.ts';
import { Browser } from '../../support/browser.ts';
import { anAdmin, openConsole } from '../../support/console.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { begin, enterPassword, heading } from '../../support/journey.ts';
import { browserOn, openAccount, statusText } from '../../support/portal.ts';
import { relyingParty } from '../../support/relying-party.ts';
import type { RelyingParty } from '../../support/relying-party.ts';

let gatehouse: Running;
let rp: RelyingParty;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
  rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true, name: 'Session App' }));
});
afterAll(() => gatehouse.stop());

async function signedIn(name = 'Ada Lovelace') {
  const person = await gatehouse.person({ name });
  const browser = new Browser(gatehouse.issuer);
  await enterPassword(browser, await begin(rp, browser), person);
  return { person, browser };
}

describe('sessions of everybody', () => {
  it('are listed with whose they are, page by page, each once', async () => {
    const people = [await signedIn(), await signedIn(), await signedIn()];
    const api = await program(gatehouse, ['sessions:read']);
    const found: string[] = [];
    let after: string | undefined;
    do {
      const { body } = await api.get(`/sessions?limit=2${after === undefined ? '' : `&after=${after}`}`);
      found.push(...(body['items'] as { sub: string }[]).map(({ sub }) => sub));
      after = body['next'] as string | undefined;
    } while (after !== undefined);
    for (const { person } of people) expect(found.filter((sub) => sub === person.sub)).toHaveLength(1);
    expect((await api.get('/sessions?after=nonsense')).status).toBe(400);
  });

  it('are ended in the console, with whose page it was, and the browser is signed out', async () => {
    const { person, browser: theirs } = await signedIn('Zora Endable');
    const { admin, browser } = await anAdmin(gatehouse);
    const page = await openConsole(browser, admin, '/sessions');
    expect(page.text).toContain('Zora Endable');
    const form = page.html.querySelectorAll('form').find((one) => one.getAttribute('action')?.includes(person.sub))!;
    const ended = await browser.submit(page, {}, form.getAttribute('action'));
    expect([heading(ended), statusText(ended)]).toEqual(['Sessions', 'The device was signed out.']);
    expect(ended.text).not.toContain('Zora Endable');
    expect(heading(await begin(rp, theirs))).toBe('Sign in to Session App');
    const [entry] = (await gatehouse.audit.search({ target: person.sub, limit: 1 })).items;
    expect(entry).toMatchObject({ type: 'session_ended', actor: { kind: 'admin', id: admin.sub } });
  });

  it('are those of one person where one is named, and none where nobody is', async () => {
    const { person } = await signedIn('Nora Named');
    await signedIn('Otto Other');
    const { admin, browser } = await anAdmin(gatehouse);
    const own = await openConsole(browser, admin, `/sessions?person=${encodeURIComponent(person.email)}`);
    expect(own.text).toContain('Nora Named');
    expect(own.text).not.toContain('Otto Other');
    expect((await browser.open('/admin/sessions?person=nobody@example.com')).text).toContain('Nothing found');
  });

  it('are not those that have ended, and not those of browsers where nobody is signed in', async () => {
    const before = await gatehouse.people.countSessions(1000);
    await new Browser(gatehouse.issuer).open((await rp.request()).url);
    expect(await gatehouse.people.countSessions(1000)).toBe(before);
    const { person } = await signedIn();
    expect(await gatehouse.people.countSessions(1000)).toBe(before + 1);
    expect(await gatehouse.people.countSessions(1)).toBe(1);
    await gatehouse.access.suspend(person.sub);
    expect(await gatehouse.people.countSessions(1000)).toBe(before);
  });

  it('hold what a device calls itself as text', async () => {
    const person = await gatehouse.person({ name: '<b>Bold</b>' });
    const odd = browserOn(gatehouse.issuer, 'laptop');
    odd.headers = { ...odd.headers, 'user-agent': '<script>alert(1)</script>' };
    await openAccount(odd, person);
    const { admin, browser } = await anAdmin(gatehouse);
    const page = await openConsole(browser, admin, '/sessions');
    expect(page.html.querySelectorAll('main script, main b')).toEqual([]);
  });
});

it('the overview says how many sessions there are, and what was refused most often', async () => {
  const { admin, browser } = await anAdmin(gatehouse);
  const app = await gatehouse.app({ name: 'Misconfigured App' });
  const query = new URLSearchParams({
    client_id: app.client_id,
    response_type: 'code',
    redirect_uri: 'https://wrong.example/',
  });
  for (let n = 0; n < 3; n += 1) await new Browser(gatehouse.issuer).open(`/auth?${query.toString()}`);
  await gatehouse.audit.idle();
  const page = await openConsole(browser, admin);
  expect(page.text).toContain('invalid_redirect_uri');
  expect(page.text).toContain('Misconfigured App');
  expect(page.html.querySelector('a[href$="/admin/sessions"]')).not.toBeNull();
});
