/** A whole login as a browser and an app do it: authorization request, sign-in form, consent, code, tokens. */
import { createHash, randomBytes } from 'node:crypto';
import { basic, FORM, sendOk, withCookies } from './connection.ts';
import type { Answer, Connection } from './connection.ts';
import { LOGIN_SCOPE } from './fixture.ts';
import type { Person, Target } from './fixture.ts';

export interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
}

const MOST_HOPS = 12;
const inputs = (html: string) => html.matchAll(/<input[^>]*>/g);
const attribute = (tag: string, name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];

/** Where a page leads by itself: a redirect, or the refresh with which a form is answered. */
function onward({ headers }: Answer): string | undefined {
  const refresh = headers['refresh'] as string | undefined;
  return (headers['location'] as string | undefined) ?? refresh?.replace(/^\d+;url=/, '');
}

/** The form of a page whose action ends in `ending`, filled in. */
function fill(html: string, ending: string, values: Record<string, string>) {
  const start = html.search(new RegExp(`<form[^>]*action="[^"]*/${ending}"`));
  if (start < 0) return undefined;
  const form = html.slice(start, html.indexOf('</form>', start));
  const body = new URLSearchParams(values);
  for (const [tag] of inputs(form)) {
    const name = attribute(tag, 'name');
    const kept = attribute(tag, 'type') === 'hidden' || /\schecked[\s>]/.test(tag);
    if (name !== undefined && kept) body.append(name, attribute(tag, 'value') ?? '');
  }
  return { path: attribute(form, 'action')!, body: body.toString() };
}

/** @returns the address at the app with which the journey through the pages ends. */
async function clickThrough(browser: Connection, path: string, { email, password }: Person, origin: string) {
  let answer = await browser.send({ method: 'GET', path });
  for (let hop = 0; hop < MOST_HOPS; hop += 1) {
    const next = onward(answer);
    if (next !== undefined) {
      const url = new URL(next, origin);
      if (url.origin !== origin) return url;
      answer = await browser.send({ method: 'GET', path: url.pathname + url.search });
      continue;
    }
    const form =
      fill(answer.text, 'sign-in', { email, password }) ?? fill(answer.text, 'consent', { decision: 'allow' });
    if (!form || answer.status !== 200) break;
    answer = await browser.send({ method: 'POST', headers: { ...FORM, origin }, ...form });
  }
  throw new Error(`the login ended with ${answer.status}: ${answer.text.slice(0, 500)}`);
}

/** A login in a browser without cookies, so that both the password and consent are asked for. */
export async function login(connection: Connection, { origin, fixture }: Target, person: Person): Promise<Tokens> {
  const { client_id, client_secret, redirect_uri } = fixture.web;
  const code_verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id,
    redirect_uri,
    response_type: 'code',
    scope: LOGIN_SCOPE,
    prompt: 'consent',
    state: randomBytes(16).toString('base64url'),
    nonce: randomBytes(16).toString('base64url'),
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const end = await clickThrough(withCookies(connection), `/auth?${query.toString()}`, person, origin);
  const code = end.searchParams.get('code');
  if (code === null) throw new Error(`the login was refused: ${end.search}`);
  const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri, code_verifier });
  const headers = { ...FORM, authorization: basic({ client_id, client_secret }) };
  const text = await sendOk(connection, { method: 'POST', path: '/token', headers, body: body.toString() });
  return JSON.parse(text) as Tokens;
}
