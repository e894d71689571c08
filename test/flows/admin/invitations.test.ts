/** Invitations: an admin asks somebody to have an account, and what comes of that. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../../src/administration/principal.ts';
import type { Api } from '../../support/admin-api.ts';
import { program } from '../../support/admin-api.ts';
import { Browser } from '../../support/browser.ts';
import { anAdmin, openConsole } from '../../support/console.ts';
import { PASSWORD, startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { alertText, backToNow, begin, enterPassword, fieldValue, heading, passTime } from '../../support/journey.ts';
import type { MailServer } from '../../support/mail-server.ts';
import { startWithMail } from '../../support/mailed.ts';
import { Authenticator } from '../../support/passkey-authenticator.ts';
import { createPasskey } from '../../support/passkeys.ts';
import { openAccount, statusText } from '../../support/portal.ts';
import { relyingParty } from '../../support/relying-party.ts';

let gatehouse: Running;
let mail: MailServer;
let stop: () => Promise<void>;
let api: Api;
let without: Running;
beforeAll(async () => {
  ({ gatehouse, mail, stop } = await startWithMail({
    GATEHOUSE_SIGN_UP_ENABLED: 'false',
    GATEHOUSE_LIMITS_ENABLED: 'false',
  }));
  api = await program(gatehouse);
  without = await startGatehouse();
});
afterAll(async () => {
  await stop();
  await without.stop();
});
afterEach(backToNow);

let count = 0;
const newEmail = () => `guest${(count += 1)}@example.com`;
const fresh = () => new Browser(gatehouse.issuer);
async function invited(input: object = {}) {
  const email = newEmail();
  const { body } = await api.post('/invitations', { email, ...input });
  const { link, subject } = await mail.waitFor(email);
  return { email, link, subject, id: body['id'] as string, sub: body['sub'] as string };
}
const accept = async (link: string, values: Record<string, string> = { password: PASSWORD }, browser = fresh()) =>
  browser.submit(await browser.open(link), values);

describe('somebody who is invited', () => {
  it('is in the groups they were invited to, of those that there are', async () => {
    await gatehouse.groups.create(OPERATOR, { name: 'staff', roles: ['clerk'] });
    const { email, link, id } = await invited({ groups: ['staff'], roles: ['editor'] });
    const listed = await (await anAdmin(gatehouse)).browser.open('/admin/people/invitations');
    const row = listed.html.querySelectorAll('.gh-row').find(({ text }) => text.includes(email))!;
    expect(row.querySelectorAll('.gh-chip').map(({ text }) => text)).toEqual(['editor', 'staff']);
    expect((await api.get(`/invitations/${id}`)).body).toMatchObject({ groups: ['staff'] });
    await accept(link);
    expect((await gatehouse.accounts.get(email)).groups).toEqual(['staff']);
    const none = await api.post('/invitations', { email: newEmail(), groups: ['nowhere'] });
    expect([none.status, JSON.stringify(none.body)]).toEqual([400, expect.stringContaining('#/groups')]);
  });

  it('gets a mail in their language, chooses a password, and has an account with a proved address, where sign-up is closed', async () => {
    const { email, link, subject, sub } = await invited({ name: 'Guido Gast', roles: ['editor'], locale: 'de' });
    expect(subject).toBe('Einladung zu Gatehouse');
    const browser = fresh();
    const page = await browser.open(link);
    expect([heading(page), fieldValue(page, 'name')]).toEqual(['Welcome to Gatehouse', 'Guido Gast']);
    expect(heading(await browser.submit(page, { password: PASSWORD }))).toBe('Your account is ready');
    const account = await gatehouse.accounts.get(email);
    expect(account).toMatchObject({ id: sub, email_verified: true, state: 'active', roles: ['editor'] });
    expect([account.name, account.claims.locale]).toEqual(['Guido Gast', 'de']);
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const own = fresh();
    expect(heading(await enterPassword(own, await begin(rp, own), { email, password: PASSWORD }))).toContain(
      'Acme Notes',
    );
    const [entry] = (await gatehouse.audit.search({ target: sub, type: 'invitation_accepted' })).items;
    expect(entry).toMatchObject({ actor: { kind: 'person', id: sub }, detail: { roles: 'editor' } });
    expect((await api.get('/invitations')).text).not.toContain(email);
  });

  it('chooses a passkey in place of a password, and signs in with it', async () => {
    const { email, link, sub } = await invited({ name: 'Paula Passkey' });
    const browser = fresh();
    const device = new Authenticator(gatehouse.issuer);
    expect(heading(await createPasskey(browser, await browser.open(link), device))).toBe('Your account is ready');
    expect(await gatehouse.accounts.get(email)).toMatchObject({
      id: sub,
      email_verified: true,
      password_hash: null,
      name: 'Paula Passkey',
    });
    expect(await gatehouse.passkeys!.list(sub)).toHaveLength(1);
    expect(heading(await fresh().open(link))).toBe('This link is no longer good');
  });

  it('is told what is wrong with a password, and may try again', async () => {
    const { email, link } = await invited();
    const browser = fresh();
    const weak = await browser.submit(await browser.open(link), { name: '', password: PASSWORD });
    expect([weak.status, weak.html.querySelector('#name-error') !== null]).toEqual([400, true]);
    const common = await browser.submit(weak, { name: 'Nora', password: 'password' });
    expect([common.status, common.html.querySelector('#password-error') !== null]).toEqual([400, true]);
    expect(heading(await browser.submit(common, { name: 'Nora', password: PASSWORD }))).toBe('Your account is ready');
    expect((await gatehouse.accounts.get(email)).name).toBe('Nora');
  });

  it('finds the link dead when it has ended, was taken back, or another one was sent', async () => {
    const [late, revoked, again] = [await invited(), await invited(), await invited()];
    await api.delete(`/invitations/${revoked.id}`);
    expect((await api.post(`/invitations/${again.id}/resend`, {})).status).toBe(200);
    const { link } = await mail.waitFor(again.email);
    for (const dead of [revoked.link, again.link]) {
      expect(heading(await fresh().open(dead))).toBe('This link is no longer good');
    }
    expect(heading(await accept(link))).toBe('Your account is ready');
    passTime(604_800);
    expect(heading(await fresh().open(late.link))).toBe('This link is no longer good');
    const listed = (await (await program(gatehouse)).get('/invitations')).body['items'] as Record<string, unknown>[];
    expect(listed.find(({ id }) => id === late.id)).toMatchObject({ expired: true });
  });

  it('opens the page and leaves it without anything having happened', async () => {
    const { email, link } = await invited();
    await fresh().open(link);
    expect(await gatehouse.accounts.findByEmail(email)).toBeUndefined();
    expect(heading(await accept(link))).toBe('Your account is ready');
  });
});

describe('an admin', () => {
  it('is told of an address that has an account, or is invited', async () => {
    const { email } = await gatehouse.person();
    expect(await api.post('/invitations', { email })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('account already') as string },
    });
    const open = await invited();
    expect((await api.post('/invitations', { email: open.email.toUpperCase() })).status).toBe(409);
    passTime(604_800);
    const later = await program(gatehouse);
    expect((await later.post('/invitations', { email: open.email })).status).toBe(201);
  });

  it('gets the link where it is asked for, once; the address is not proved by it', async () => {
    const email = newEmail();
    const { body } = await api.post('/invitations', { email, by: 'link' });
    expect(body).toMatchObject({
      mailed: false,
      url: expect.stringContaining(`${gatehouse.issuer}/mailed/`) as string,
    });
    expect((await api.get(`/invitations/${body['id'] as string}`)).body).not.toHaveProperty('url');
    expect(heading(await accept(body['url'] as string))).toBe('Your account is ready');
    expect(await gatehouse.accounts.get(email)).toMatchObject({ email_verified: false });
  });

  it('is told where no mail can be sent', async () => {
    const closed = await program(without);
    const email = newEmail();
    expect(await closed.post('/invitations', { email })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('mail.smtp_url') as string },
    });
    expect((await closed.post('/invitations', { email, by: 'link' })).status).toBe(201);
  });

  it('that may not make admins invites none', async () => {
    const some = await program(gatehouse, ['users:read', 'users:write']);
    expect((await some.post('/invitations', { email: newEmail(), roles: ['admin'] })).status).toBe(403);
    const { id } = await invited({ roles: ['admin'] });
    expect((await some.post(`/invitations/${id}/resend`, {})).status).toBe(403);
    expect((await some.delete(`/invitations/${id}`)).status).toBe(403);
  });

  it('invites, sends again and takes back in the console', async () => {
    const { admin, browser } = await anAdmin(gatehouse);
    const at = (path: string) => openConsole(browser, admin, path);
    const email = newEmail();
    const made = await browser.submit(await at('/people/invite'), { email, name: 'Carla', roles: 'editor' });
    expect([heading(made), statusText(made)]).toEqual(['Invitations', `${email} gets a mail.`]);
    expect(made.text).toContain('Carla');
    const first = await mail.waitFor(email);
    const taken = await browser.submit(await at('/people/invite'), { email: admin.email, name: '' });
    expect([taken.status, alertText(taken)]).toEqual([400, expect.stringContaining('account already')]);
    const row = made.html.querySelectorAll('.gh-row').find(({ text }) => text.includes(email))!;
    const link = row.querySelector('a[href$="/resend"]')!.getAttribute('href')!;
    await browser.submit(await browser.open(link), {}, '/resend');
    const second = await mail.waitFor(email);
    expect(second.link).not.toBe(first.link);
    expect(heading(await fresh().open(first.link))).toBe('This link is no longer good');
    const gone = await browser.submit(await browser.open(link.replace('/resend', '/revoke')), {}, '/revoke');
    expect(statusText(gone)).toContain('taken back');
    expect(heading(await fresh().open(second.link))).toBe('This link is no longer good');
    const shown = await browser.submit(await at('/people/invite'), { email, name: '', link: 'yes' });
    const url = shown.html.querySelector('#link')!.text;
    expect(heading(await accept(url))).toBe('Your account is ready');
    expect((await openAccount(fresh(), { email, password: PASSWORD, sub: '' })).status).toBe(200);
  });
});
