/** What is remembered of a person who is away at an upstream: to sign in, or to connect the account there to their own. */
import type { Checks } from './connector.ts';
import type { UpstreamIdentity } from './identity.ts';

/** Kind of the records, which are found by `state`. */
export const UPSTREAM_LOGIN = 'UpstreamLogin';

export interface UpstreamLogin {
  /** To whom the person was sent: an answer from anybody else is refused. */
  provider: string;
  /** The interaction, or the handle of a connecting, and when it ends (epoch seconds). */
  uid: string;
  exp: number;
  client_id: string;
  /** Mark of the browser. */
  browser: string;
  checks: Checks;
  /** They are signed in, and connect the account there. */
  connecting?: boolean;
}

/** Kind of what came of a connecting, found by its handle. */
export const UPSTREAM_ARRIVAL = 'UpstreamArrival';

export interface UpstreamArrival {
  provider: string;
  identity: UpstreamIdentity | null;
  /** Why there is none. */
  problem: string | null;
}
