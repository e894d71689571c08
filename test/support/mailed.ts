/** Journeys that lead through a mailbox. */
import type { Browser, Page } from './browser.ts';
import { PASSWORD, startGatehouse } from './gatehouse.ts';
import type { Running } from './gatehouse.ts';
import { begin, linkNamed } from './journey.ts';
import { startMailServer } from './mail-server.ts';
import type { MailServer } from './mail-server.ts';
import type { RelyingParty } from './relying-party.ts';

export interface WithMail {
  gatehouse: Running;
  mail: MailServer;
  stop(): Promise<void>;
}

/** A Gatehouse that sends its mails to a server of its own. */
export async function startWithMail(env: Record<string, string> = {}): Promise<WithMail> {
  const mail = await startMailServer();
  const gatehouse = await startGatehouse({ GATEHOUSE_MAIL_SMTP_URL: mail.url, ...env });
  return {
    gatehouse,
    mail,
    async stop() {
      await gatehouse.stop();
      await mail.stop();
    },
  };
}

/** Opens a mailed link and presses its button. */
export async function pressButton(browser: Browser, link: string, values: Record<string, string> = {}): Promise<Page> {
  return browser.submit(await browser.open(link), values);
}

/** Fills in the sign-up form of a new sign-in. */
export async function signUp(
  rp: RelyingParty,
  browser: Browser,
  { email, name = 'Grace Hopper', password = PASSWORD }: { email: string; name?: string; password?: string },
): Promise<Page> {
  const page = await browser.open(linkNamed(await begin(rp, browser), 'Create an account'));
  return browser.submit(page, { name, email, password });
}

/** Asks for a link to set a new password. */
export async function forgotPassword(rp: RelyingParty, browser: Browser, email: string): Promise<Page> {
  const page = await browser.open(linkNamed(await begin(rp, browser), 'Forgot your password?'));
  return browser.submit(page, { email });
}
