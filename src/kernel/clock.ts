/** The current time in whole seconds since the epoch, the unit of every expiry in OAuth and OpenID Connect. */
export const epochSeconds = (): number => Math.floor(Date.now() / 1000);

/** The current time as an ISO 8601 string, the form in which accounts and clients keep their dates. */
export const isoNow = (): string => new Date().toISOString();
