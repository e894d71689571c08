/** Two equal chains of refresh tokens of one person at one app, and all that everybody learns from what they give. */
import { createHash } from 'node:crypto';
import { compactDecrypt, decodeJwt, decodeProtectedHeader } from 'jose';
import type { CryptoKey } from 'jose';
import { createSealedAccessTokens } from '../../src/oidc/sealed-access-tokens.ts';
import { createSealedRecords } from '../../src/protocol/sealed-records.ts';
import type { Browser } from './browser.ts';
import { ask, comparable } from './both-ways.ts';
import type { Beside, Told } from './both-ways.ts';
import { as, basic, userinfo } from './endpoints.ts';
import { eventually } from './eventually.ts';
import type { Running } from './gatehouse.ts';
import type { Asked } from './generated-apps.ts';
import type { App, Authorized, Person } from './journey.ts';
import { enterPassword } from './journey.ts';
import type { RelyingParty } from './relying-party.ts';

export type Fields = [name: string, value: string][];

const formOf = (fields: Fields, beside: Beside) => new URLSearchParams(fields).toString() + beside;

/** How an app says who it is: in a header, or among the fields, as one without a secret always does. */
export type Place = 'header' | 'body';

/** Asks the token endpoint as an app does. */
export function askAs(
  gatehouse: Pick<Running, 'issuer'>,
  { client_id, client_secret }: App,
  fields: Fields,
  beside: Beside,
  place: Place = 'header',
): Promise<Told> {
  if (client_secret === undefined)
    return ask(gatehouse, { body: formOf([...fields, ['client_id', client_id]], beside) });
  if (place === 'header')
    return ask(gatehouse, { headers: basic(client_id, client_secret), body: formOf(fields, beside) });
  const own: Fields = [
    ['client_id', client_id],
    ['client_secret', client_secret],
  ];
  return ask(gatehouse, { body: formOf([...own, ...fields], beside) });
}

/** What a client gets. */
export interface TokenSet {
  access_token?: string;
  refresh_token?: string;
  id_token?: string;
}

export const USUALLY: Asked = {
  scope: 'openid profile email offline_access',
  resource: [],
  declined: [],
  nonce: true,
  claims: undefined,
  max_age: false,
};

/** A sign-in in which the person leaves some scopes unticked where they are asked, up to the code. */
export async function codeFor(rp: RelyingParty, person: Person, browser: Browser, asked: Asked): Promise<Authorized> {
  const { url, checks } = await rp.request({
    scope: asked.scope,
    ...(asked.claims === undefined ? {} : { claims: asked.claims }),
    ...(asked.max_age ? { max_age: '86400' } : {}),
    nonce: 'the same each time',
  });
  if (!asked.nonce) url.searchParams.delete('nonce');
  for (const resource of asked.resource) url.searchParams.append('resource', resource);
  let page = await browser.open(url);
  if (page.html.querySelector('input[name=password]')) page = await enterPassword(browser, page, person);
  if (page.html.querySelector('button[name=decision]')) {
    const offered = page.html.querySelectorAll('input[name=scope]').map((tick) => tick.getAttribute('value')!);
    const scope = offered.filter((one) => !asked.declined.includes(one));
    page = await browser.submit(page, { decision: 'allow', ...(offered.length > 0 ? { scope } : {}) });
  }
  if (!page.url.searchParams.has('code')) throw new Error(`no code: ${page.url.href} ${page.status}`);
  return { callback: page.url, checks };
}

/** The same with its code exchanged. @returns what that gave. */
export async function signInFor(
  gatehouse: Running,
  rp: RelyingParty,
  person: Person,
  browser: Browser,
  asked: Asked,
): Promise<TokenSet> {
  const authorized = await codeFor(rp, person, browser, asked);
  const [resource] = asked.resource;
  const redeemed = await as(gatehouse, rp.app).redeem(authorized, resource === undefined ? {} : { resource });
  if (redeemed.status !== 200) throw new Error(`no tokens: ${redeemed.status} ${redeemed.text}`);
  return redeemed.body;
}

const isJwt = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);

/** What a signed token says, but for its own number. */
function read(token: string) {
  const { jti, ...payload } = decodeJwt(token);
  // In this order: who compares texts is to find the same.
  return { header: decodeProtectedHeader(token), numbered: typeof jti, payload: JSON.stringify(payload) };
}

async function readIdToken(token: string, accessToken: string, key: CryptoKey) {
  const isEncrypted = token.split('.').length === 5;
  const signed = isEncrypted ? new TextDecoder().decode((await compactDecrypt(token, key)).plaintext) : token;
  const half = createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
  const { header, payload, ...rest } = read(signed);
  return { ...rest, isEncrypted, header, payload: payload.replace(half, 'half of the hash of its access token') };
}

/** What an opaque token keeps for us, but for what is its own. */
async function sealedIn({ storage, vaultFor }: Running, token: string) {
  const records = createSealedRecords({ store: storage.protocol, vault: vaultFor('records') });
  const { find } = createSealedAccessTokens({ vault: vaultFor('tokens'), records });
  const found = (await find('AccessToken', token)) ?? (await find('ClientCredentials', token));
  if (!found) throw new Error('an access token that is none');
  const { jti, grantId, ...said } = { grantId: undefined, ...found };
  return { ...said, numbered: typeof jti, granted: typeof grantId };
}

/** Of what an API or the app itself is told of a token. */
const withoutNumber = ({ jti, ...said }: Record<string, unknown>) => ({ ...said, numbered: typeof jti });

export interface Onlookers {
  gatehouse: Running;
  app: App;
  apis: App[];
  /** What ID tokens of the app are encrypted to, where they are. */
  key: CryptoKey;
}

/** An answer, what is in its tokens, and what the app, each API and userinfo are told of them. */
export async function learned({ gatehouse, app, apis, key }: Onlookers, told: Told) {
  const { access_token, refresh_token, id_token } = told.body as TokenSet;
  if (access_token === undefined) return { answer: comparable(told) };
  const known = await userinfo(gatehouse, access_token);
  const told_of = (who: App, token: string) =>
    as(gatehouse, who)
      .introspect(token)
      .then(({ status, body }) => ({ status, body: withoutNumber(body) }));
  return {
    answer: comparable(told),
    id_token: id_token === undefined ? 'none' : await readIdToken(id_token, access_token, key),
    access_token: isJwt(access_token) ? read(access_token) : await sealedIn(gatehouse, access_token),
    userinfo: { status: known.status, body: isJwt(known.text) ? read(known.text) : known.text },
    introspected: await Promise.all([app, ...apis].map((who) => told_of(who, access_token))),
    refresh_token: refresh_token === undefined ? 'none' : await told_of(app, refresh_token),
  };
}

/** What the record says of an app since it was last asked. @returns a function that waits until there is something. */
export function recordsOf(gatehouse: Running, app: App) {
  let last = 0;
  async function fresh() {
    await gatehouse.audit.idle();
    const { items } = await gatehouse.audit.search({ target: app.client_id, limit: 20 });
    return items.filter(({ seq }) => seq > last);
  }
  return {
    async skip() {
      for (const { seq } of await fresh()) last = Math.max(last, seq);
    },
    /** Without what is each record's own. */
    next: () =>
      eventually(async () => {
        const found = await fresh();
        if (found.length === 0) throw new Error('nothing is written down yet');
        for (const { seq } of found) last = Math.max(last, seq);
        return found.map(({ at, type, actor, target, network, device, detail, reference }) => ({
          ...{ at, type, actor, target, network, device, detail },
          hasReference: reference !== null,
        }));
      }),
  };
}
