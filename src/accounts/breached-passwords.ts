/**
 * Whether a password is known from a breach, asked so that the other side learns next to nothing: it gets the first five
 * characters of the password's SHA-1 and answers with all endings it knows (k-anonymity, the range protocol of Have I Been Pwned).
 */
import { hash } from 'node:crypto';
import type { Logger } from '../kernel/logger.ts';

const PREFIX = 5;
const TIMEOUT_MS = 1000;
const MOST_BYTES = 1024 * 1024;
const LINE = /^([0-9A-F]{35}):(\d+)$/i;

/** @returns whether it is known; false too where that cannot be found out in time. */
export type IsBreached = (password: string) => Promise<boolean>;

async function readAtMost(response: Response, most: number): Promise<string> {
  const decoder = new TextDecoder();
  let [text, size] = ['', 0];
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > most) throw new Error(`the answer is larger than ${most} bytes`);
    text += decoder.decode(chunk as Uint8Array, { stream: true });
  }
  return text;
}

/** Whether the range holds the ending. Lines with the count 0 are padding. @throws Error when it is no range at all. */
function holds(range: string, ending: string): boolean {
  const lines = range.split('\n').map((line) => LINE.exec(line.trim()));
  if (!lines.some(Boolean)) throw new Error('the answer is not a range of hashes');
  return lines.some((line) => line !== null && line[1]!.toUpperCase() === ending && Number(line[2]) > 0);
}

interface Needs {
  /** What the five characters are appended to. */
  url: string;
  /** Whether to ask, as it is set at that moment. */
  enabled(): boolean;
  log: Logger;
}

export function createBreachCheck({ url, enabled, log }: Needs): IsBreached {
  const base = url.endsWith('/') ? url : `${url}/`;
  return async (password) => {
    if (!enabled()) return false;
    const digest = hash('sha1', password, 'hex').toUpperCase();
    try {
      const response = await fetch(base + digest.slice(0, PREFIX), {
        headers: { 'Add-Padding': 'true', 'User-Agent': 'Gatehouse' },
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status !== 200) throw new Error(`status ${response.status}`);
      return holds(await readAtMost(response, MOST_BYTES), digest.slice(PREFIX));
    } catch (error) {
      // Open on purpose: nobody is kept from signing up because another service is down.
      log.warn(
        { reason: reasonOf(error) },
        'a password could not be looked up among the breached ones, and was accepted',
      );
      return false;
    }
  };
}

/** Without the address that was asked: it has part of the hash in it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? cause.code : error.message;
}
