/**
 * The runner tells apps of log-outs (OpenID Connect Back-Channel Logout 1.0, section 2.5). Every process has one, and each
 * delivery is claimed before it is sent: of several processes one sends it, and should that one die another does, later, with the
 * same `jti`. It also completes log-outs that were broken off.
 */
import { backOff } from '../kernel/back-off.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { persistently, startWorker } from '../kernel/worker.ts';
import type { Worker } from '../kernel/worker.ts';
import type { Endings } from './endings.ts';
import type { Queue } from './queue.ts';
import { createReceivers } from './receivers.ts';
import type { Delivery, LogoutStore, Outcome } from './store.ts';

/** Deliveries under way at once in one process. */
const LINES = 16;
/** For one attempt, the signature included, and to note how it ended. */
const CLAIM_SECONDS = 30;
const AGAIN = { first: 5, longest: 1800 };
const COMPLETE_AGAIN = { first: 2, longest: 60 };
const NOTE_PAUSE_MS = 500;
const OK = 200;
/** What frameworks make of an empty answer (section 2.8). */
const NO_CONTENT = 204;
/** There never will be anything to tell: of earlier drafts, "not implemented"; and "gone". */
const FOR_GOOD = new Set([410, 501]);

/** How a delivery was answered; `problem` where it was not. */
export type Answer = { status: number } | { problem: string };

export interface RunnerNeeds {
  store: LogoutStore;
  queue: Pick<Queue, 'openNotice' | 'openLogOut' | 'done'>;
  endings: Pick<Endings, 'complete'>;
  clients: { find(id: string): Promise<{ backchannel_logout_uri?: string | null } | undefined> };
  /** @returns a log-out token, signed with the key of the moment. @throws when the client is gone. */
  sign(claims: { client_id: string; sub: string; sid: string | undefined; jti: string }): Promise<string>;
  /** Sends a log-out token; never fails, and never takes longer than some seconds. */
  post(uri: string, token: string): Promise<Answer>;
  log: Logger;
}

interface Failure {
  problem: string;
  /** The app is there, and is not to be left alone for a while. */
  answered: boolean;
  for_good: boolean;
}

export function startRunner({ store, queue, endings, clients, sign, post, log }: RunnerNeeds): Worker {
  const receivers = createReceivers();
  let stopped = false;

  /** A token that was refused is worth nothing any more; one that may not have arrived is sent again as it was. */
  const jtiOf = ({ id, refusals }: Delivery) => (refusals === 0 ? id : `${id}.${refusals}`);

  function failureOf(answer: Answer): Failure | undefined {
    if ('problem' in answer) return { problem: answer.problem, answered: false, for_good: false };
    const { status } = answer;
    if (status === OK || status === NO_CONTENT) return undefined;
    const problem = `answered ${status}${status >= 300 && status < 400 ? ', and redirects are not followed' : ''}`;
    return { problem, answered: true, for_good: FOR_GOOD.has(status) };
  }

  /** @returns why the app was not told, or undefined where it confirmed. */
  async function tell(delivery: Delivery): Promise<Failure | undefined> {
    const client_id = delivery.client_id!;
    const uri = (await clients.find(client_id))?.backchannel_logout_uri ?? undefined;
    if (uri === undefined)
      return {
        problem: 'the client is gone, or has no backchannel_logout_uri any more',
        answered: true,
        for_good: true,
      };
    const { account_id, sid } = queue.openNotice(delivery);
    return failureOf(await post(uri, await sign({ client_id, sub: account_id, sid, jti: jtiOf(delivery) })));
  }

  function outcomeOf(delivery: Delivery, failure: Failure): Outcome {
    const now = epochSeconds();
    const { problem, answered: refused, for_good } = failure;
    const { id, client_id, attempts, give_up_at } = delivery;
    const waits = { state: 'waiting', due_at: now + backOff(attempts, AGAIN), problem, refused } as const;
    if (!for_good && now < give_up_at) return waits;
    log.warn(
      { delivery: id, client_id, attempts, reason: problem },
      'an app could not be told of a log-out (see: gatehouse logout list)',
    );
    return { state: 'given_up', settled_at: now, problem, refused };
  }

  /** What was told but not noted would be told again: a store that is away for a moment is waited for. */
  const note = ({ id, attempts }: Delivery, outcome: Outcome): Promise<void> =>
    persistently(() => store.settle(id, attempts, outcome), NOTE_PAUSE_MS);

  async function deliver(delivery: Delivery): Promise<void> {
    const client_id = delivery.client_id!;
    receivers.begin(client_id);
    const failure = await tell(delivery).catch((error: unknown): Failure => {
      log.error({ err: error, delivery: delivery.id }, 'a log-out token could not be made');
      return { problem: 'the log-out token could not be made', answered: true, for_good: false };
    });
    receivers.end(client_id, failure?.answered ?? true);
    await note(delivery, failure ? outcomeOf(delivery, failure) : { state: 'confirmed', settled_at: epochSeconds() });
  }

  async function complete(delivery: Delivery): Promise<void> {
    const { id, cause, attempts } = delivery;
    try {
      await endings.complete(queue.openLogOut(delivery));
      log.warn({ log_out: id, cause }, 'a log-out that was broken off has been completed');
    } catch (error) {
      log.error({ err: error, log_out: id, cause, attempts }, 'a log-out could not be completed');
      const due_at = epochSeconds() + backOff(attempts, COMPLETE_AGAIN);
      await note(delivery, { state: 'waiting', due_at, problem: 'not completed', refused: false });
    }
  }

  const underWay = new Set<Promise<void>>();

  function begin(delivery: Delivery): void {
    const done = (delivery.client_id === null ? complete(delivery) : deliver(delivery))
      .catch((error: unknown) => log.error({ err: error, delivery: delivery.id }, 'a log-out could not be noted'))
      .finally(() => {
        underWay.delete(done);
        worker.nudge(); // there is room for another
      });
    underWay.add(done);
  }

  async function work(): Promise<void> {
    while (!stopped && underWay.size < LINES && (await store.isDue(epochSeconds()))) {
      const now = epochSeconds();
      const delivery = await store.claim(now, now + CLAIM_SECONDS, receivers.resting());
      if (!delivery) return;
      begin(delivery);
    }
  }

  const worker = startWorker(work, (error) =>
    log.warn({ err: error }, 'log-outs cannot be worked on; it is tried again every second'),
  );
  return {
    nudge: worker.nudge,
    async stop() {
      stopped = true;
      await worker.stop();
      await Promise.all(underWay);
    },
  };
}
