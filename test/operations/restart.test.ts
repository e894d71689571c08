import { randomBytes } from 'node:crypto';
import * as oidc from 'openid-client';
import { afterEach, expect, it } from 'vitest';
import { temporaryFile } from '../storage/support/temporary-file.ts';
import { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import { authorize } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const { file, remove } = temporaryFile();
afterEach(remove);

it('after a restart with a new cookie key in first place: same keys, sessions, tokens, people and apps', async () => {
  const lasting = {
    GATEHOUSE_STORAGE_URL: `sqlite:${file}`,
    GATEHOUSE_SECRETS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  };
  const first = await startGatehouse({ ...lasting, GATEHOUSE_SECRETS_COOKIE_KEYS: 'the-first-cookie-key-of-all' });
  const app = await first.app({ first_party: true });
  const person = await first.person();
  const rp = await relyingParty(first, app);
  const browser = new Browser(first.issuer);
  const { callback, checks } = await authorize(rp, person, { scope: 'openid offline_access' }, browser);
  const tokens = await rp.redeem(callback, checks);
  const keys = await (await fetch(`${first.issuer}/jwks`)).text();
  await first.stop();

  const { port } = new URL(first.issuer);
  const second = await startGatehouse(
    { ...lasting, GATEHOUSE_SECRETS_COOKIE_KEYS: 'the-second-cookie-key,the-first-cookie-key-of-all' },
    '',
    Number(port),
  );
  expect(await (await fetch(`${second.issuer}/jwks`)).text()).toBe(keys);
  const page = await browser.open((await rp.request({ prompt: 'none' })).url);
  expect(page.url.searchParams.get('code')).toBeTruthy();
  expect((await oidc.refreshTokenGrant(rp.config, tokens.refresh_token!)).claims()?.sub).toBe(person.sub);
  await second.stop();
});
