import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, browserFor } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { Authenticator } from '../support/passkey-authenticator.ts';
import type { Lie, Options } from '../support/passkey-authenticator.ts';
import { optionsOf, sendAnswer, usePasskey, withPasskey } from '../support/passkeys.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const LIES: [string, Lie][] = [
  ['for another origin', { origin: 'https://gatehouse.evil.example' }],
  ['for the same host on another port', { origin: 'http://localhost:1' }],
  ['for the same host by another scheme', { origin: 'https://localhost' }],
  ['for another relying party', { rpId: 'evil.example' }],
  ['for a host below ours', { rpId: 'sub.localhost' }],
  ['inside a frame of another site', { crossOrigin: true }],
  ['without its person verified', { userVerified: false }],
  ['without its person there', { userPresent: false, userVerified: false }],
  ['to another challenge', { challenge: 'A'.repeat(43) }],
  ['to no challenge', { challenge: '' }],
];

describe('what a passkey signed', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let person: Person;
  let device: Authenticator;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    person = await gatehouse.person();
    device = await withPasskey(gatehouse, person);
  });
  afterAll(() => gatehouse.stop());

  it.each<[string, Lie]>([
    ...LIES,
    ['when it was made', { type: 'webauthn.create' }],
    ['with another key', { foreignKey: true }],
  ])('%s opens nothing', async (_, lie) => {
    const browser = browserFor(rp);
    const page = await usePasskey(browser, await begin(rp, browser), device, lie);
    expect([400, 401]).toContain(page.status);
    const { url } = await rp.request({ prompt: 'none' });
    expect((await browser.open(url)).url.searchParams.get('error')).toBe('login_required');
  });

  it.each<[string, Lie]>([
    ...LIES,
    ['when it was used', { type: 'webauthn.get' }],
    ['with a certificate', { format: 'packed', statement: certified() }],
    ['as a key of another kind of authenticator', { format: 'android-safetynet' }],
    ['in an unknown format', { format: 'nonsense' }],
    ['with a statement where there is none', { statement: new Map([['sig', 'x']]) }],
  ])('%s registers nothing', async (_, lie) => {
    const { sub, email } = await gatehouse.person();
    const fresh = new Authenticator(gatehouse.issuer);
    const asked = (await gatehouse.passkeys!.registrationOptions('b', { id: sub, email, name: 'x' })) as Options;
    const result = await gatehouse
      .passkeys!.register('b', sub, fresh.create(asked, lie))
      .catch((error: { code: string }) => ({ problem: error.code }));
    expect(result).toHaveProperty('problem');
    expect(await gatehouse.passkeys!.list(sub)).toEqual([]);
  });

  it('is refused with one answer, whatever is wrong with it, and the log says what', async () => {
    const browser = browserFor(rp);
    const page = await begin(rp, browser);
    const texts = new Set<string>();
    for (const lie of [{ origin: 'https://evil.example' }, { foreignKey: true }, { userVerified: false }]) {
      const refused = await usePasskey(browser, page, device, lie);
      texts.add(refused.html.querySelector('[role=alert]')!.text.trim());
    }
    expect([...texts]).toEqual(['That passkey could not be checked. Try again, or sign in another way.']);
    expect(gatehouse.logged.map(({ reason }) => reason)).toContain('the signature does not hold');
  });

  it('may be any bytes: the answer is a bad request or a refusal, never a failure', async () => {
    const browser = browserFor(rp);
    const page = await begin(rp, browser);
    const bytes = fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data).toString('base64url'));
    const about = { id: sentBy(device), rawId: sentBy(device), type: 'public-key' };
    await fc.assert(
      fc.asyncProperty(bytes, bytes, bytes, async (authenticatorData, signature, attestationObject) => {
        const { challenge } = await optionsOf(browser, page);
        const data = { type: 'webauthn.get', challenge, origin: new URL(gatehouse.issuer).origin };
        const clientDataJSON = Buffer.from(JSON.stringify(data)).toString('base64url');
        const answer = { ...about, response: { clientDataJSON, authenticatorData, signature } };
        expect([400, 401]).toContain((await sendAnswer(browser, page, JSON.stringify(answer))).status);
        const asked = await gatehouse.passkeys!.registrationOptions('fuzz', { id: person.sub, email: 'e', name: 'n' });
        const made = { ...data, type: 'webauthn.create', challenge: (asked as Options).challenge };
        const response = { clientDataJSON: Buffer.from(JSON.stringify(made)).toString('base64url'), attestationObject };
        const result = await gatehouse
          .passkeys!.register('fuzz', person.sub, JSON.stringify({ ...about, response }))
          .catch((error: { code: string }) => ({ problem: error.code }));
        expect(['refused', 'invalid_input']).toContain('problem' in result && result.problem);
      }),
      { numRuns: 40 },
    );
    expect(await gatehouse.passkeys!.list(person.sub)).toHaveLength(1);
  });
});

const sentBy = (device: Authenticator) => device.passkeys[0]!.id;

function certified(): Map<string, unknown> {
  return new Map<string, unknown>([
    ['alg', -7],
    ['sig', new Uint8Array(70)],
    ['x5c', [new Uint8Array(200)]],
  ]);
}
