/** Joining an existing account by what only the reader of its mail can do. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../src/kernel/ids.ts';
import { Browser } from '../../support/browser.ts';
import type { Running } from '../../support/gatehouse.ts';
import { heading } from '../../support/journey.ts';
import { startMailServer } from '../../support/mail-server.ts';
import type { MailServer } from '../../support/mail-server.ts';
import { usePasskey, withPasskey } from '../../support/passkeys.ts';
import { relyingParty } from '../../support/relying-party.ts';
import type { RelyingParty } from '../../support/relying-party.ts';
import { CLIENT, startOpenidServer } from '../../support/upstream-servers.ts';
import type { OpenidServer } from '../../support/upstream-servers.ts';
import { goTo, startWithUpstreams } from '../../support/upstream.ts';

describe('an account that is to be joined', () => {
  let upstream: OpenidServer;
  let mail: MailServer;
  let gatehouse: Running;
  let rp: RelyingParty;
  let browser: Browser;
  beforeAll(async () => {
    upstream = await startOpenidServer();
    mail = await startMailServer();
    gatehouse = await startWithUpstreams(
      { acme: { type: 'oidc', ...CLIENT, issuer: upstream.issuer } },
      { GATEHOUSE_MAIL_SMTP_URL: mail.url },
    );
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(async () => {
    await gatehouse.stop();
    await Promise.all([upstream.stop(), mail.stop()]);
  });
  beforeEach(() => {
    browser = new Browser(gatehouse.issuer);
  });

  async function linkPage(email: string) {
    const { away } = await goTo(rp, browser, 'acme');
    return browser.open(upstream.approve(away, { sub: newId(), email, email_verified: true }));
  }
  async function proveByMail(page: Awaited<ReturnType<typeof linkPage>>, email: string) {
    const waiting = await browser.submit(page, {}, '/link/mail');
    const { code } = await mail.waitFor(email);
    return browser.submit(waiting, { code });
  }

  it('is proved by the code in a mail as well as by its password', async () => {
    const local = await gatehouse.person();
    const page = await linkPage(local.email);
    expect(page.html.querySelector('input[name=password]')).not.toBeNull();
    expect(heading(await proveByMail(page, local.email))).toContain('wants access');
    expect(await gatehouse.linking.identitiesOf(local.sub)).toHaveLength(1);
    expect(await gatehouse.accounts.authenticate(local.email, local.password)).toBeDefined();
  });

  it('is proved by its passkey, and by nobody else’s', async () => {
    const local = await gatehouse.person();
    const account = (await gatehouse.accounts.find(local.sub))!;
    await gatehouse.storage.accounts.update({ ...account, password_hash: null });
    const device = await withPasskey(gatehouse, local);
    const stranger = await withPasskey(gatehouse, await gatehouse.person());
    await usePasskey(browser, await linkPage(local.email), stranger);
    expect(await gatehouse.linking.identitiesOf(local.sub)).toEqual([]);
    browser = new Browser(gatehouse.issuer);
    expect(heading(await usePasskey(browser, await linkPage(local.email), device))).toContain('wants access');
    expect(await gatehouse.linking.identitiesOf(local.sub)).toHaveLength(1);
  });

  it('and whose e-mail nobody has proved is proved by mail alone, which empties it', async () => {
    const planted = await gatehouse.person({ email_verified: false });
    const page = await linkPage(planted.email);
    expect(page.html.querySelector('input[name=password]')).toBeNull();
    expect(heading(await proveByMail(page, planted.email))).toContain('wants access');
    expect(await gatehouse.linking.identitiesOf(planted.sub)).toHaveLength(1);
    expect(await gatehouse.accounts.find(planted.sub)).toMatchObject({ email_verified: true, password_hash: null });
  });
});
