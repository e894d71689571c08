/** The part of a logger that the rooms use. Fields never hold secrets, tokens, codes, cookies or query strings. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}
