/** Details of an authorization that an app makes up, hides or widens (RFC 9396, sections 5, 11 and 12). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asking, bank, payment, PAYMENT } from '../support/authorization-details.ts';
import { Browser } from '../support/browser.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { beginConsent } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('authorization details', () => {
  let gatehouse: Running;
  let api: App;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    api = await bank(gatehouse);
    app = await gatehouse.app();
    rp = await relyingParty(gatehouse, app);
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());

  async function errorOf(parameters: Record<string, string>): Promise<string | null> {
    const { url } = await rp.request({ scope: 'openid', resource: api.resource!, ...parameters });
    return (await new Browser(gatehouse.issuer).open(url)).url.searchParams.get('error');
  }

  const big = 'x'.repeat(1001);
  it.each([
    ['an unknown type', asking({ type: 'transfer_all' })],
    ['a type that every object has', asking({ type: 'constructor' })],
    ['another such', asking({ type: '__proto__' })],
    ['no type', asking({ actions: ['initiate'] })],
    ['no object', asking(['payment_initiation'])],
    ['no JSON', { authorization_details: '[{' }],
    ['no list', { authorization_details: JSON.stringify(payment()) }],
    ['a field that the type lacks', asking(payment({ recurring: 'daily' }))],
    ['a missing field', asking(payment({ instructedAmount: undefined }))],
    ['a value that is not among those allowed', asking(payment({ actions: ['initiate', 'everything'] }))],
    ['a number for a text', asking(payment({ creditorName: 7 }))],
    ['a text for a yes or no', asking(payment({ urgent: 'yes' }))],
    ['an inner field too many', asking(payment({ instructedAmount: { currency: 'EUR', amount: '1', tip: '9' } }))],
    ['an object for a text', asking(payment({ creditorName: { toString: 'x' } }))],
    ['turned text', asking(payment({ creditorName: 'A\u202Etxet' }))],
    ['hidden text', asking(payment({ creditorName: 'A\u200BB' }))],
    ['a text without end', asking(payment({ creditorName: big }))],
    [
      'more details than anybody reads',
      asking(...Array.from({ length: 21 }, () => payment({ creditorName: undefined }))),
    ],
    ['another place', asking(payment({ locations: ['https://elsewhere.example/'] }))],
  ])('are refused with %s', async (_what, parameters) => {
    expect(await errorOf(parameters)).toBe('invalid_authorization_details');
  });

  it('are those of the API that is asked for: the same type elsewhere is unknown', async () => {
    const other = await gatehouse.app({ type: 'api' });
    expect(await errorOf({ resource: other.resource!, ...asking(payment()) })).toBe('invalid_authorization_details');
  });

  it('are of the types that the app is registered for, where that says so', async () => {
    const modest = await gatehouse.app({ protocol: { authorization_details_types: ['account_information'] } });
    const { url } = await (
      await relyingParty(gatehouse, modest)
    ).request({ resource: api.resource!, ...asking(payment()) });
    const { url: back } = await new Browser(gatehouse.issuer).open(url);
    expect(back.searchParams.get('error')).toBe('invalid_authorization_details');
  });

  it('say nothing that the page could take for its own', async () => {
    const page = await beginConsent(rp, new Browser(gatehouse.issuer), await gatehouse.person(), {
      scope: 'openid',
      resource: api.resource!,
      ...asking(payment({ creditorName: '<script>alert(1)</script> & "co"' })),
    });
    expect(page.text).toContain('To: &lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;co&#34;');
    expect(page.text).not.toContain('<script>alert');
  });

  it('are not taken from a form: what was asked for is what is granted', async () => {
    const browser = new Browser(gatehouse.issuer);
    const { url, checks } = await rp.request({ scope: 'openid', resource: api.resource!, ...asking(payment()) });
    const page = await browser.submit(await browser.open(url), { email: person.email, password: person.password });
    const { url: callback } = await browser.open(
      page.html.querySelector('form[action$="/consent"]')!.getAttribute('action')!,
      {
        method: 'POST',
        body: new URLSearchParams({
          _csrf: page.html.querySelector('input[name=_csrf]')!.getAttribute('value')!,
          decision: 'allow',
          ...asking(payment({ instructedAmount: { currency: 'EUR', amount: '1000000.00' } })),
        }),
        headers: { origin: gatehouse.issuer },
      },
    );
    expect((await rp.redeem(callback, checks))['authorization_details']).toEqual([payment()]);
  });

  it('that were allowed once are not had twice by narrowing', async () => {
    const tokens = await rp.signIn(await gatehouse.person(), {
      scope: 'openid offline_access',
      resource: api.resource!,
      ...asking(payment({ actions: ['initiate'] }), payment()),
    });
    const refresh = (...details: object[]) =>
      as(gatehouse, app).refresh(tokens.refresh_token!, { resource: api.resource!, ...asking(...details) });
    const [one, all] = [payment({ actions: ['initiate'] }), payment()];
    for (const more of [
      [one, one, one],
      [all, all],
      [payment({ actions: ['status'] }), payment({ actions: ['status'] })],
    ])
      expect((await refresh(...more)).body['error']).toBe('invalid_authorization_details');
    // The first fits both, the second one alone.
    expect((await refresh(one, all)).body['authorization_details']).toEqual([one, all]);
  });

  it('of a type that two APIs of the request have are shown for both, and fit both', async () => {
    const other = await bank(gatehouse, {
      name: 'The Other Bank',
      detail_types: [{ ...PAYMENT, title: 'Pay at once' }],
    });
    const strict = await bank(gatehouse, {
      name: 'The Strict Bank',
      detail_types: [{ ...PAYMENT, fields: PAYMENT.fields!.slice(0, 2) }],
    });
    const begin = async (second: App) => {
      const { url } = await rp.request({ scope: 'openid', ...asking(payment()) });
      for (const { resource } of [api, second]) url.searchParams.append('resource', resource!);
      const browser = new Browser(gatehouse.issuer);
      const page = await browser.open(url);
      if (page.url.searchParams.has('error')) return page;
      return browser.submit(page, { email: person.email, password: person.password });
    };
    const { text } = await begin(other);
    for (const words of ['The Bank', 'Make one payment', 'The Other Bank', 'Pay at once'])
      expect(text).toContain(words);
    expect((await begin(strict)).url.searchParams.get('error')).toBe('invalid_authorization_details');
  });

  it('cannot be had without a person', async () => {
    const service = await gatehouse.app({ type: 'service', scope: 'accounts' });
    const { status, body } = await as(gatehouse, service).clientCredentials({
      resource: api.resource!,
      scope: 'accounts',
      ...asking(payment()),
    });
    expect([status, body['error']]).toEqual([400, 'invalid_authorization_details']);
  });

  it.each([
    ['a type twice', [PAYMENT, PAYMENT]],
    ['a type that every object has', [{ type: 'constructor', title: 'x' }]],
    [
      'a field twice',
      [
        {
          type: 'a',
          title: 'x',
          fields: [
            { name: 'f', kind: 'string' },
            { name: 'f', kind: 'number' },
          ],
        },
      ],
    ],
    ['a field named type', [{ type: 'a', title: 'x', fields: [{ name: 'type', kind: 'string' }] }]],
    ['a title with turned text', [{ type: 'a', title: 'x\u202Ey' }]],
    ['a kind that is none', [{ type: 'a', title: 'x', fields: [{ name: 'f', kind: 'html' }] }]],
  ])('have types that are refused with %s', async (_what, detail_types) => {
    await expect(gatehouse.app({ type: 'api', detail_types: detail_types as never })).rejects.toMatchObject({
      code: 'invalid_input',
      field: 'detail_types',
    });
  });

  it('belong to APIs alone', async () => {
    await expect(gatehouse.app({ detail_types: [PAYMENT] })).rejects.toMatchObject({ field: 'detail_types' });
  });
});
