/** GitHub's connector against a faithful stand-in for its endpoints. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import type { Running } from '../../support/gatehouse.ts';
import { alertText } from '../../support/journey.ts';
import { relyingParty } from '../../support/relying-party.ts';
import type { RelyingParty } from '../../support/relying-party.ts';
import { CLIENT, startGithubServer } from '../../support/upstream-servers.ts';
import type { GithubPerson, GithubServer } from '../../support/upstream-servers.ts';
import { comeBackTo, goTo, startWithUpstreams } from '../../support/upstream.ts';

describe('GitHub', () => {
  let github: GithubServer;
  let gatehouse: Running;
  let rp: RelyingParty;
  let browser: Browser;
  let next = 1000;
  beforeAll(async () => {
    github = await startGithubServer();
    gatehouse = await startWithUpstreams({ github: { ...CLIENT, issuer: github.issuer } });
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(async () => {
    await gatehouse.stop();
    await github.stop();
  });
  beforeEach(() => {
    browser = new Browser(gatehouse.issuer);
    for (const name of Object.keys(github.broken)) delete github.broken[name];
  });

  function person({
    name = 'Mona Lisa',
    verified = true,
  }: { name?: string | null; verified?: boolean } = {}): GithubPerson {
    next += 1;
    return {
      user: { id: next, login: `mona${next}`, name, email: null, avatar_url: 'https://avatars.example/1' },
      emails: [
        { email: `old${next}@example.com`, primary: false, verified: true, visibility: null },
        { email: `mona${next}@example.com`, primary: true, verified, visibility: 'private' },
      ],
    };
  }

  it('makes an account with the primary e-mail, and finds it by the number that never changes', async () => {
    const mona = person();
    const { away, checks } = await goTo(rp, browser, 'github');
    expect(away.searchParams.get('scope')).toBe('read:user user:email');
    expect(away.searchParams.get('code_challenge_method')).toBe('S256');
    const first = await comeBackTo(rp, browser, github.approve(away, mona), checks);
    expect(first).toMatchObject({
      email: mona.emails[1]!['email'],
      email_verified: true,
      name: 'Mona Lisa',
      picture: 'https://avatars.example/1',
    });
    expect(first['amr']).toBeUndefined();
    browser = new Browser(gatehouse.issuer);
    const renamed = { ...mona, user: { ...mona.user, login: 'lisa', name: null } };
    const again = await goTo(rp, browser, 'github');
    const second = await comeBackTo(rp, browser, github.approve(again.away, renamed), again.checks);
    expect(second).toMatchObject({ sub: first.sub, name: 'lisa' });
  });

  it.each([
    ['an unverified e-mail', () => person({ verified: false }), 'cannot say that your e-mail'],
    ['no primary e-mail', () => ({ ...person(), emails: [] }), 'did not tell us your e-mail'],
  ])('with %s makes no account', async (_what, make, text) => {
    const { away } = await goTo(rp, browser, 'github');
    const page = await browser.open(github.approve(away, make()));
    expect([page.status, alertText(page)]).toEqual([403, expect.stringContaining(text) as string]);
  });

  it.each([
    ['a person without a number', () => ({ ...person(), user: { login: 'mona' } })],
    ['a number that is text', () => ({ ...person(), user: { id: '1', login: 'mona' } })],
  ])('is refused with %s', async (_what, make) => {
    const { away } = await goTo(rp, browser, 'github');
    expect((await browser.open(github.approve(away, make()))).status).toBe(502);
  });

  it('that reports an error under status 200 is understood', async () => {
    const { away } = await goTo(rp, browser, 'github');
    const callback = github.approve(away, person());
    callback.searchParams.set('code', 'wrong');
    const page = await browser.open(callback);
    expect([page.status, alertText(page)]).toEqual([502, expect.stringContaining('did not work') as string]);
    expect(JSON.stringify(gatehouse.logged)).toContain('bad_verification_code');
  });

  it.each(['user', 'emails', 'token'])('whose %s endpoint is down brings the person back', async (name) => {
    github.broken[name] = { status: 502, body: '<html>', type: 'text/html' };
    const { away } = await goTo(rp, browser, 'github');
    const page = await browser.open(github.approve(away, person()));
    expect([page.status, alertText(page)]).toEqual([502, expect.stringContaining('GitHub does not answer') as string]);
  });

  it('where the person cancels, they come back to every other way', async () => {
    const { away } = await goTo(rp, browser, 'github');
    const page = await browser.open(github.refuse(away, 'access_denied'));
    expect(page.text).toContain('You did not sign in with GitHub');
    expect(page.html.querySelector('input[name=password]')).not.toBeNull();
  });
});
