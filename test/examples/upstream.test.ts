import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PERSON, startPair } from '../../examples/upstream/main.ts';
import { Browser } from '../support/browser.ts';
import { freePort } from '../support/ports.ts';
import { press } from '../support/upstream.ts';

describe('the example with two Gatehouses', () => {
  let pair: Awaited<ReturnType<typeof startPair>>;
  beforeAll(async () => {
    pair = await startPair({ ours: await freePort(), company: await freePort() });
  });
  afterAll(() => pair.stop());

  it('signs a person in to the playground with their account at the company', async () => {
    const [here, there] = [new Browser(pair.issuer), new Browser(pair.company)];
    const begun = await here.submit(await here.open('/playground'), {}, '/begin');
    const request = begun.html
      .querySelectorAll('a')
      .map((link) => link.getAttribute('href') ?? '')
      .find((href) => href.includes('/auth?'));
    const page = await here.open(request!.replaceAll('&amp;', '&').replaceAll('&#38;', '&'));
    const away = await press(here, page, 'company');
    const signedIn = await there.submit(await there.open(away), { email: PERSON.email, password: PERSON.password });
    const consented = await there.submit(signedIn, { decision: 'allow' });
    const consent = await here.open(consented.url);
    expect(consent.text).toContain(PERSON.name);
    const done = await here.submit(consent, { decision: 'allow' });
    expect(done.url.pathname).toContain('/playground');
    expect(done.url.searchParams.get('error')).toBeNull();
  });
});
