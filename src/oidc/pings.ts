/**
 * Pings (OpenID Connect CIBA Core 1.0, section 10.2): an app that asked to be told hears that its request was answered. Each rests in the
 * store before the answer does, so that it outlives a process that dies; every process looks for those that are due and claims one by
 * compare-and-set before it sends. An app that never hears may ask by itself.
 */
import type { Client } from '../clients/client.ts';
import { backOff } from '../kernel/back-off.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { startWorker } from '../kernel/worker.ts';
import type { Payload, SealedRecords } from '../protocol/sealed-records.ts';

const KIND = 'Ping';
const REQUEST = 'BackchannelAuthenticationRequest';
/** All that wait are listed under one name, as if of one account. */
const OWNER = 'pings';
/** Seconds for the answer to be written after its ping; for one attempt. */
const HEAD_START = 10;
const CLAIM = 30;
const AGAIN = { first: 2, longest: 30 };
const CONFIRMED = new Set([200, 204]);
/** An app that says so may be there again in a moment; any other answer is its last word. */
const PASSING = new Set([408, 425, 429]);

/** How a ping was answered; `problem` where it was not. */
export type PingAnswer = { status: number } | { problem: string };

export interface Pings {
  /** Before the answer of a request is written down. @param ttl seconds that the request still has. */
  prepare(authReqId: string, ttl: number): Promise<void>;
  /** The answer is written down: now it can be told. */
  send(authReqId: string): void;
  /** Begins to tell. @returns a function that stops, what is in hand finished. */
  start(): () => Promise<void>;
}

interface Needs {
  records: SealedRecords;
  clients: { find(id: string): Promise<Client | undefined> };
  /** Posts JSON with a bearer token; never fails, never follows a redirect, and takes no longer than some seconds. */
  post(uri: string, bearer: string, body: object): Promise<PingAnswer>;
  log: Logger;
}

interface Answered extends Payload {
  clientId?: string;
  error?: unknown;
  params?: { client_notification_token?: string };
}

const isPassing = (answer: PingAnswer): boolean =>
  'problem' in answer || answer.status >= 500 || PASSING.has(answer.status);

export function createPings({ records, clients, post, log }: Needs): Pings {
  const ready = new Set<string>();
  let nudge = () => undefined as void;

  const lifeOf = (ping: Payload) => Math.max(1, Number(ping['until']) - epochSeconds());

  /** @returns whether nothing is left to be done for it. */
  async function tell(authReqId: string, attempts: number): Promise<boolean> {
    const request = (await records.find(REQUEST, authReqId)) as Answered | undefined;
    const answered = request?.grantId !== undefined || request?.error !== undefined;
    // Who has its tokens, or will never get any, has nothing to be told.
    if (!request || !answered || request.consumed !== undefined) return true;
    const client_id = String(request.clientId);
    const uri = (await clients.find(client_id))?.protocol?.backchannel_client_notification_endpoint;
    if (uri === undefined) return true;
    const answer = await post(uri, String(request.params?.client_notification_token), { auth_req_id: authReqId });
    if ('status' in answer && CONFIRMED.has(answer.status)) return true;
    log.warn({ client_id, attempts, ...answer }, 'an app could not be told that its request was answered');
    return !isPassing(answer);
  }

  async function deliver(ping: Payload): Promise<void> {
    const id = String(ping['auth_req_id']);
    const attempts = Number(ping['attempts']) + 1;
    const claimed = { ...ping, attempts, due_at: epochSeconds() + CLAIM };
    if (!(await records.replace(KIND, id, ping, claimed, lifeOf(ping)))) return;
    ready.delete(id);
    if (await tell(id, attempts)) await records.destroy(KIND, id);
    else {
      const later = { ...claimed, due_at: epochSeconds() + backOff(attempts, AGAIN) };
      await records.replace(KIND, id, claimed, later, lifeOf(ping));
    }
  }

  async function work(): Promise<void> {
    const now = epochSeconds();
    const waiting = await records.listByAccount(KIND, OWNER);
    const due = waiting.filter((ping) => Number(ping['due_at']) <= now || ready.has(String(ping['auth_req_id'])));
    await Promise.all(due.map(deliver));
  }

  return {
    async prepare(authReqId, ttl) {
      const now = epochSeconds();
      const ping = {
        accountId: OWNER,
        auth_req_id: authReqId,
        attempts: 0,
        due_at: now + HEAD_START,
        until: now + ttl,
      };
      await records.upsert(KIND, authReqId, ping, ttl);
    },
    send(authReqId) {
      ready.add(authReqId);
      nudge();
    },
    start() {
      const worker = startWorker(work, (error) =>
        log.warn({ err: error }, 'apps cannot be told of answers; it is tried again every second'),
      );
      nudge = worker.nudge;
      return () => worker.stop();
    },
  };
}
