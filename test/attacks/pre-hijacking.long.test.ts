/**
 * An attacker prepares an account under the e-mail of somebody who has none yet, and waits for them to come: the five classes of
 * Sudhodanan and Paverd, "Pre-hijacked accounts" (USENIX Security 2022). Signing up works at once here (`later`), as only then is
 * there anything to prepare.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { PASSWORD, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, begin, enterPassword, heading } from '../support/journey.ts';
import { startMailServer } from '../support/mail-server.ts';
import type { MailServer } from '../support/mail-server.ts';
import { forgotPassword, pressButton, signUp } from '../support/mailed.ts';
import { withPasskey } from '../support/passkeys.ts';
import { freePort } from '../support/ports.ts';
import { clickThrough, relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';
import { press, startWithUpstreams } from '../support/upstream.ts';

const VICTIMS_PASSWORD = 'known to one person alone';

describe('an attacker who was there first', () => {
  let company: Running;
  let gatehouse: Running;
  let mail: MailServer;
  let rp: RelyingParty;
  let attacker: Browser;
  let victim: Browser;
  let email: string;
  let victims = 0;
  beforeAll(async () => {
    mail = await startMailServer();
    company = await startGatehouse();
    const port = await freePort();
    const { client_id, client_secret } = await company.app({
      redirect_uris: [`http://localhost:${port}/federation/company/callback`],
    });
    gatehouse = await startWithUpstreams(
      { company: { type: 'oidc', issuer: company.issuer, client_id, client_secret } },
      { GATEHOUSE_MAIL_SMTP_URL: mail.url, GATEHOUSE_SIGN_UP_VERIFY_EMAIL: 'later', GATEHOUSE_SIGN_IN_MAILED: 'true' },
      '',
      port,
    );
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(async () => {
    await gatehouse.stop();
    await company.stop();
    await mail.stop();
  });
  beforeEach(() => {
    victims += 1;
    email = `victim${victims}@example.com`;
    attacker = new Browser(gatehouse.issuer);
    victim = new Browser(gatehouse.issuer);
  });

  /** The attacker's account under the victim's e-mail, signed in, with tokens. */
  async function prepare() {
    await signUp(rp, attacker, { email });
    const { url, checks } = await rp.request({ scope: 'openid offline_access', prompt: 'consent' });
    const consent = await attacker.open(url);
    const done = await attacker.submit(consent, { decision: 'allow' });
    const tokens = await rp.redeem(done.url, checks);
    await mail.waitFor(email, /Confirm/);
    return { account: await gatehouse.accounts.get(email), tokens };
  }
  /** The victim comes, is told that there is an account, and sets a password by mail. */
  async function recover() {
    await forgotPassword(rp, victim, email);
    const { link } = await mail.waitFor(email, /new password/);
    const page = await pressButton(victim, link, { password: VICTIMS_PASSWORD });
    expect(heading(page)).toBe('Acme Notes wants access');
  }
  const attackersPasswordWorks = async () => {
    const own = new Browser(gatehouse.issuer);
    return (await enterPassword(own, await begin(rp, own), { email, password: PASSWORD })).status === 200;
  };
  const isSignedIn = async (browser: Browser) => heading(await begin(rp, browser)) !== 'Sign in to Acme Notes';
  const signInUpstream = async (browser: Browser, person: { sub: string; email: string; password: string }) => {
    const away = await press(browser, await begin(rp, browser), 'company');
    return browser.open(await clickThrough(new Browser(company.issuer), away, person));
  };

  it('by classic-federated merge: the victim’s upstream login is not joined to the account with the attacker’s password', async () => {
    const { account, tokens } = await prepare();
    const page = await signInUpstream(victim, await company.person({ email }));
    // The password proves nothing here: nobody knows whose it is. Only the mail does.
    expect(page.html.querySelector('input[name=password]')).toBeNull();
    expect(await gatehouse.linking.identitiesOf(account.id)).toEqual([]);
    expect(await isSignedIn(victim)).toBe(false);
    const waiting = await victim.submit(page, {}, '/link/mail');
    const { code } = await mail.waitFor(email, /Connect/);
    expect(heading(await victim.submit(waiting, { code }))).toBe('Acme Notes wants access');
    expect(await gatehouse.linking.identitiesOf(account.id)).toMatchObject([{ provider: 'company', email }]);
    expect(await attackersPasswordWorks()).toBe(false);
    expect(await isSignedIn(attacker)).toBe(false);
    expect((await as(gatehouse, rp.app).refresh(tokens.refresh_token!)).body['error']).toBe('invalid_grant');
  });

  it('by an unexpired session: no session, consent page or token of before the recovery is left', async () => {
    const { tokens } = await prepare();
    const elsewhere = new Browser(gatehouse.issuer);
    const open = await enterPassword(elsewhere, await begin(rp, elsewhere), { email, password: PASSWORD });
    await recover();
    expect(await isSignedIn(attacker)).toBe(false);
    expect((await elsewhere.submit(open, { decision: 'allow' })).url.searchParams.get('code')).toBeNull();
    expect((await as(gatehouse, rp.app).refresh(tokens.refresh_token!)).body['error']).toBe('invalid_grant');
    expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(401);
    expect(await attackersPasswordWorks()).toBe(false);
  });

  it.each([
    ['recovers the account', recover],
    [
      'signs in by mail',
      async () => {
        const start = await begin(rp, victim);
        const page = await victim.submit(await victim.open(`${start.url.pathname}/mailed-sign-in`), { email });
        const { code } = await mail.waitFor(email, /Sign in/);
        expect(heading(await victim.submit(page, { code }))).toBe('Acme Notes wants access');
      },
    ],
  ])('by a trojan identifier: an upstream login put in the account is gone once the victim %s', async (_how, come) => {
    const { account } = await prepare();
    const trojan = await company.person();
    const at = new Date().toISOString();
    await gatehouse.storage.identities.insert({
      provider: 'company',
      issuer: company.issuer,
      subject: trojan.sub,
      account_id: account.id,
      email: trojan.email,
      created_at: at,
      last_used_at: at,
    });
    await come();
    expect(await gatehouse.linking.identitiesOf(account.id)).toEqual([]);
    await signInUpstream(attacker, trojan);
    expect((await gatehouse.accounts.findByEmail(trojan.email))?.id).not.toBe(account.id);
    expect(await attackersPasswordWorks()).toBe(false);
  });

  it('by an unexpired change of e-mail: its link is dead once the victim has recovered the account', async () => {
    const { account } = await prepare();
    const theirs = `attacker${victims}@example.com`;
    await gatehouse.verification.emailChanges.request(account, theirs, 'en');
    const { link } = await mail.waitFor(theirs);
    const shown = await attacker.open(link);
    await recover();
    expect(heading(await attacker.submit(shown))).toBe('This link is no longer good');
    expect(await gatehouse.accounts.get(account.id)).toMatchObject({ email });
  });

  describe('by an address to be confirmed: the victim who opens the link of that mail', () => {
    const bait = async () => {
      await signUp(rp, attacker, { email });
      const { link } = await mail.waitFor(email, /Confirm/);
      const account = await gatehouse.accounts.get(email);
      await withPasskey(gatehouse, { sub: account.id, email });
      return { account, link };
    };

    it('is asked for the password, and confirms nothing by the button alone', async () => {
      const { account, link } = await bait();
      const page = await victim.open(link);
      expect(page.text).toContain('was made in another browser');
      const empty = await victim.submit(page, { password: '' });
      const wrong = await victim.submit(page, { password: VICTIMS_PASSWORD });
      expect([empty.status, wrong.status]).toEqual([400, 401]);
      expect(alertText(wrong)).toContain('not the password of this account');
      expect(await gatehouse.accounts.get(account.id)).toMatchObject({ email_verified: false });
    });

    it('takes the account over empty, and sets a password of their own', async () => {
      const { account, link } = await bait();
      const setting = await victim.submit(await victim.open(link), { decision: 'take' });
      expect(heading(setting)).toBe('Set a new password');
      // Before any new one is set the attacker has nothing left.
      expect([await attackersPasswordWorks(), await isSignedIn(attacker)]).toEqual([false, false]);
      expect(await gatehouse.factors.of(account.id)).toMatchObject({ passkeys: 0 });
      await victim.submit(setting, { password: VICTIMS_PASSWORD });
      expect(await gatehouse.accounts.get(account.id)).toMatchObject({ email_verified: true });
      expect(await gatehouse.accounts.authenticate(email, VICTIMS_PASSWORD)).toBeDefined();
      expect(heading(await victim.open(link))).toBe('This link is no longer good');
      const { items } = await gatehouse.audit.listByAccount(account.id, { limit: 50 });
      expect(items.filter(({ type }) => type === 'account_claimed')).toHaveLength(1);
    });

    it('may guess at the password only so often', async () => {
      const { link } = await bait();
      const page = await victim.open(link);
      const tries = await atOnce(20, (index) => victim.submit(page, { password: `guess ${index}` }));
      expect(tries.filter(({ status }) => status === 429)).toHaveLength(10);
    });
  });

  it('who is the same person confirms by the password, from any browser, or at once from where they signed up', async () => {
    await signUp(rp, attacker, { email });
    const phone = new Browser(gatehouse.issuer);
    const { link } = await mail.waitFor(email, /Confirm/);
    const done = await phone.submit(await phone.open(link), { password: PASSWORD });
    expect(heading(done)).toBe('Your e-mail is confirmed');
    expect(await gatehouse.accounts.get(email)).toMatchObject({ email_verified: true });
    expect(await isSignedIn(attacker)).toBe(true);

    const other = `other-${email}`;
    const own = new Browser(gatehouse.issuer);
    await signUp(rp, own, { email: other });
    expect(heading(await pressButton(own, (await mail.waitFor(other, /Confirm/)).link))).toBe(
      'Your e-mail is confirmed',
    );
    expect(await gatehouse.accounts.authenticate(other, PASSWORD)).toBeDefined();
  });

  it('by an upstream that verifies nothing: the attacker’s login there, under the victim’s e-mail, gets no account', async () => {
    const claimed = await company.person({ email, email_verified: false });
    const page = await signInUpstream(attacker, claimed);
    expect(page.status).toBe(403);
    expect(await gatehouse.accounts.findByEmail(email)).toBeUndefined();
    // Nor does it get into the account that the victim makes later.
    await signUp(rp, victim, { email, password: VICTIMS_PASSWORD });
    await signInUpstream(attacker, claimed);
    expect(await isSignedIn(attacker)).toBe(false);
    const { id } = await gatehouse.accounts.get(email);
    expect(await gatehouse.linking.identitiesOf(id)).toEqual([]);
  });
});

describe('where an e-mail is proved before an account exists', () => {
  it('the attacker has nothing to prepare: the victim’s own sign-up wins, with the victim’s password', async () => {
    const mail = await startMailServer();
    const gatehouse = await startGatehouse({ GATEHOUSE_MAIL_SMTP_URL: mail.url });
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const [attacker, victim] = [new Browser(gatehouse.issuer), new Browser(gatehouse.issuer)];
    const email = 'victim@example.com';
    const waiting = await signUp(rp, attacker, { email });
    const bait = await mail.waitFor(email);
    // A victim who opens the link of the attacker's sign-up finds no button to press.
    const opened = await victim.open(bait.link);
    expect(opened.html.querySelector('main form')).toBeNull();
    expect(await gatehouse.accounts.findByEmail(email)).toBeUndefined();
    const page = await signUp(rp, victim, { email, password: VICTIMS_PASSWORD });
    const own = await mail.waitFor(email);
    expect(heading(await victim.submit(page, { code: own.code }))).toBe('Acme Notes wants access');
    const goOn = await attacker.open(`${waiting.url.pathname}/continue`);
    expect(goOn.text).toContain('not been confirmed yet');
    const answers = await Promise.all(
      [PASSWORD, VICTIMS_PASSWORD].map(async (password) => {
        const browser = new Browser(gatehouse.issuer);
        return (await enterPassword(browser, await begin(rp, browser), { email, password })).status;
      }),
    );
    expect(answers).toEqual([401, 200]);
    await gatehouse.stop();
    await mail.stop();
  });
});
