/** An app that asks by both of the busiest grants, for requests that are out of the usual. */
import { ask, comparable, UNUSUAL, USUAL } from './both-ways.ts';
import type { Beside, Told, TokenRequest } from './both-ways.ts';
import { basic } from './endpoints.ts';
import type { Running } from './gatehouse.ts';
import { passTime } from './journey.ts';
import type { App } from './journey.ts';
import { relyingParty } from './relying-party.ts';

export const GRANTS = ['client_credentials', 'refresh_token'] as const;
export type Grant = (typeof GRANTS)[number];

/** With all that must be encoded in a header (RFC 6749, section 2.3.1): space, plus, percent, colon. Three tildes are a plus in base64. */
export const AWKWARD_SECRET = 'a+b/c%41:d e~~~f?g&h=i{j}k|l^m`n"o0123456789';

/** Seconds in which a used refresh token gives its successor again, unless configured. */
const GRACE = 10;

/** Time in which the process looked at its signing keys: until it has, everything goes the longer way. */
export async function later(seconds: number, { liveKeys }: Running): Promise<void> {
  passTime(seconds);
  await liveKeys.refresh();
}

export interface BothGrants {
  app: App & { client_secret: string };
  /** What it sends, with the token that is the newest just then. */
  fields(grant: Grant): string;
  headers(): Record<string, string>;
  /** Takes the token of an answer to a request that was sent otherwise. */
  note(told: Told): void;
  /** What it usually sends is sent once more. */
  usual(grant: Grant): Promise<Told>;
  /**
   * Sends what `make` makes in both forms. @returns the first answer, and both without what is made anew for each.
   */
  both(make: (beside: Beside) => TokenRequest): Promise<{ told: Told; alike: [unknown, unknown] }>;
}

/** @param secret in place of one that is drawn. */
export async function bothGrants(gatehouse: Running, secret?: string): Promise<BothGrants> {
  const made = await gatehouse.app({
    first_party: true,
    protocol: { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] },
  });
  if (secret !== undefined) await gatehouse.clients.setSecret(made.client_id, secret);
  const app = { ...made, client_secret: secret ?? made.client_secret! };
  const rp = await relyingParty(gatehouse, app);
  const tokens = await rp.signIn(await gatehouse.person(), { scope: 'openid email offline_access' });
  let newest = tokens.refresh_token!;

  function note({ body }: Told): void {
    if (typeof body['refresh_token'] === 'string') newest = body['refresh_token'];
  }
  async function send(request: TokenRequest): Promise<Told> {
    const told = await ask(gatehouse, request);
    note(told);
    return told;
  }
  const headers = () => basic(app.client_id, app.client_secret);
  const fields = (grant: Grant) =>
    `grant_type=${grant}${grant === 'refresh_token' ? `&refresh_token=${encodeURIComponent(newest)}` : ''}`;
  return {
    app,
    fields,
    headers,
    note,
    async usual(grant) {
      // A token that was used unnoticed would give its successor again until then.
      if (grant === 'refresh_token') await later(GRACE, gatehouse);
      return send({ headers: headers(), body: fields(grant) });
    },
    async both(make) {
      const [told, other] = [await send(make(USUAL)), await send(make(UNUSUAL))];
      return { told, alike: [comparable(told), comparable(other)] };
    },
  };
}
