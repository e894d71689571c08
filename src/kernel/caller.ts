/** Who sends the request under way, as far as it shows: what a person recognises their own device by. */
export interface Caller {
  /** Network address, or `unknown`. */
  address: string;
  /** The `User-Agent` header, cut. */
  user_agent: string;
  /** Who that is, where it was proved and is not the person whom it concerns: an admin, or a program with a token of its own. */
  by?: { kind: 'admin' | 'client'; id: string; reference?: string };
}

/** @returns the caller of the request under way; undefined where there is none, as in commands and jobs. */
export type CurrentCaller = () => Caller | undefined;
