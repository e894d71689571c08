/** The way to a mail server as the runner knows it: what it promises, and how it fails. */
import type { Letter } from './letter.ts';

/** Mails at once: one slow recipient must not hold up everybody's codes. */
export const LINES = 3;

/**
 * Why a mail was not taken. `server`: nothing can be sent, whatever it is (away, refuses us, no TLS). `later`: this mail was
 * refused for now. `never`: it was refused for good.
 */
export class SendFailure extends Error {
  readonly kind: 'server' | 'later' | 'never';
  /** For logs: a code of the connection or of SMTP and the command it answered, never the server's words, which repeat ours. */
  readonly summary: string;
  constructor(kind: SendFailure['kind'], summary: string, message: string) {
    super(message);
    this.name = 'SendFailure';
    this.kind = kind;
    this.summary = summary;
  }
}

export interface Transport {
  /** The longest one `send` takes, in seconds. */
  longest: number;
  /**
   * @param id becomes the Message-ID: a mail that is sent again after a crash can be told.
   * @returns what the server answered. @throws SendFailure, nothing else.
   */
  send(mail: Letter & { id: string; to: string }): Promise<string>;
  /** Lets go of connections; the next `send` makes new ones. */
  hangUp(): void;
  /** Breaks off what is being sent; nobody knows whether the server took it. */
  abort(): void;
}
