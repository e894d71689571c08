/** Who sends the request under way, as far as it shows: what a person recognises their own device by. */
export interface Caller {
  /** Network address, or `unknown`. */
  address: string;
  /** The `User-Agent` header, cut. */
  user_agent: string;
}

/** @returns the caller of the request under way; undefined where there is none, as in commands and jobs. */
export type CurrentCaller = () => Caller | undefined;
