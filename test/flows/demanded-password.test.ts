import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import { adminApi, programToken } from '../support/admin-api.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { anAdmin } from '../support/console.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, begin, browserFor, enterPassword, heading } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { openAccount } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const NEW = 'another password altogether';
const ASKED = 'Choose a new password';

let gatehouse: Running;
let rp: RelyingParty;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
});
afterAll(() => gatehouse.stop());

async function demanded(): Promise<Person> {
  const person = await gatehouse.person();
  await gatehouse.people.demandNewPassword(OPERATOR, person.sub);
  return person;
}
const toPassword = async (person: Person, browser = browserFor(rp)) => ({
  browser,
  page: await enterPassword(browser, await begin(rp, browser, { prompt: 'login' }), person),
});
const isAtApp = ({ url }: { url: URL }) => url.searchParams.has('code');

describe('whoever an admin demands a new password of', () => {
  it('chooses it after the old one, and is signed in', async () => {
    const person = await demanded();
    const { browser, page } = await toPassword(person);
    expect([heading(page), page.text.includes(person.email)]).toEqual([ASKED, true]);
    expect(isAtApp(await browser.submit(page, { password: NEW }))).toBe(true);
    expect(await gatehouse.accounts.authenticate(person.email, person.password)).toBeUndefined();
    expect((await gatehouse.accounts.get(person.sub)).must_change_password).toBe(false);
    const again = await toPassword({ ...person, password: NEW });
    expect(isAtApp(again.page)).toBe(true);
    const { items } = await gatehouse.audit.search({ target: person.sub, type: 'password_changed', limit: 5 });
    expect(items.map(({ actor }) => actor.kind)).toEqual(['person']);
  });

  it('is not let on by going around the page', async () => {
    const person = await demanded();
    const { browser, page } = await toPassword(person);
    const path = page.url.pathname.replace(/\/(sign-in|new-password)$/, '');
    for (const to of [path, `${path}/consent`, `${path}/sign-in`])
      expect(isAtApp(await browser.open(to)), to).toBe(false);
    expect(heading(await browser.open(path))).toBe(ASKED);
    const other = await begin(rp, browser);
    expect(isAtApp(other)).toBe(false);
  });

  it('does not choose the one they have, nor one that is too short', async () => {
    const person = await demanded();
    const { browser, page } = await toPassword(person);
    const same = await browser.submit(page, { password: person.password });
    expect([same.status, alertText(same)]).toEqual([400, expect.stringContaining('That is the password you have')]);
    const short = await browser.submit(same, { password: 'short' });
    expect([short.status, alertText(short)]).toEqual([400, expect.stringContaining('too short')]);
    expect(isAtApp(await browser.submit(short, { password: NEW }))).toBe(true);
  });

  it('goes on where they are signed in, and is signed out elsewhere by choosing', async () => {
    const person = await gatehouse.person();
    const [here, elsewhere] = [new Browser(gatehouse.issuer), new Browser(gatehouse.issuer)];
    await openAccount(here, person);
    await openAccount(elsewhere, person);
    await gatehouse.people.demandNewPassword(OPERATOR, person.sub);
    expect(heading(await elsewhere.open('/account'))).not.toContain('Sign in');
    const { page } = await toPassword(person, here);
    expect(heading(page)).toBe(ASKED);
    expect(isAtApp(await here.submit(page, { password: NEW }))).toBe(true);
    expect(heading(await elsewhere.open('/account'))).toContain('Sign in');
  });

  it('chooses it once, of two who know the old one', async () => {
    const person = await demanded();
    const both = await Promise.all([toPassword(person), toPassword(person)]);
    const ends = await atOnce(2, (n) => both[n]!.browser.submit(both[n]!.page, { password: `${NEW} ${n}` }));
    expect(ends.filter(isAtApp)).toHaveLength(1);
    const { page, browser } = both[ends.findIndex((end) => !isAtApp(end))]!;
    expect(isAtApp(await browser.submit(page, { password: 'the one of who was late' }))).toBe(false);
    expect(await gatehouse.accounts.authenticate(person.email, 'the one of who was late')).toBeUndefined();
  });

  it('has done so by a mailed link, or by an admin who sets one', async () => {
    const [one, other] = [await demanded(), await demanded()];
    await gatehouse.accounts.resetPassword(one.sub, await gatehouse.accounts.hashPassword(NEW), one.email);
    await gatehouse.people.setPassword(OPERATOR, other.sub, NEW);
    for (const person of [one, other])
      expect(isAtApp((await toPassword({ ...person, password: NEW })).page), person.email).toBe(true);
  });
});

it('is demanded by API with users:write, of nobody without a password, and of an admin with admins:write', async () => {
  const api = adminApi(gatehouse, await programToken(gatehouse, ['users:read', 'users:write']));
  const person = await gatehouse.person();
  const { status, body } = await api.post(`/users/${person.sub}/demand-new-password`);
  expect([status, body['must_change_password']]).toEqual([200, true]);
  const { id } = await gatehouse.accounts.create({ email: 'none@example.com', name: 'None' });
  expect((await api.post(`/users/${id}/demand-new-password`)).status).toBe(409);
  const admin = await gatehouse.person({ roles: ['admin'] });
  expect((await api.post(`/users/${admin.sub}/demand-new-password`)).status).toBe(403);
  const { items } = await gatehouse.audit.search({ target: person.sub, type: 'password_change_demanded', limit: 5 });
  expect(items).toHaveLength(1);
});

it('is taken back, and the password that they have will do', async () => {
  const person = await gatehouse.person();
  const api = adminApi(gatehouse, await programToken(gatehouse, ['users:read', 'users:write']));
  expect((await api.post(`/users/${person.sub}/waive-new-password`)).status).toBe(409);
  await api.post(`/users/${person.sub}/demand-new-password`);
  const { status, body } = await api.post(`/users/${person.sub}/waive-new-password`);
  expect([status, body['must_change_password']]).toEqual([200, false]);
  expect((await rp.signIn(person)).claims()?.sub).toBe(person.sub);
  const [entry] = (await gatehouse.audit.search({ target: person.sub, type: 'password_change_waived', limit: 1 }))
    .items;
  expect(entry?.actor.kind).toBe('client');
});

it('is shown to admins, with who demanded it, and taken back there', async () => {
  const { browser } = await anAdmin(gatehouse, 'Grace Demanding');
  const other = (await anAdmin(gatehouse, 'Other Admin')).browser;
  const person = await gatehouse.person();
  const at = `/admin/people/${person.sub}`;
  const says = (page: Page) => page.html.querySelector('section[aria-labelledby=methods]')!.text.replace(/\s+/g, ' ');
  const act = async (by: Browser, path: string) => by.submit(await by.open(`${at}/${path}`), {}, `/${path}`);
  expect(says(await browser.open(at))).not.toContain('choose another one');
  await act(browser, 'demand-password');
  const shown = await other.open(at);
  expect(shown.html.querySelector('.gh-title')!.text).toContain('Must choose a new password');
  expect(says(shown)).toContain('choose another one. By an admin Grace Demanding');
  const taken = await act(other, 'waive-password');
  expect([says(taken).includes('choose another one'), taken.text.includes('can keep the password')]).toEqual([
    false,
    true,
  ]);
});
