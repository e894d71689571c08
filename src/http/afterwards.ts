/** Work that is done when a request has been answered, so that the time of the answer tells nothing of it. */
import type { Context } from 'koa';
import type { Logger } from '../kernel/logger.ts';

export interface Afterwards {
  /** Begins `work` once the answer is out, or the client gone. A failure is logged. */
  after(ctx: Pick<Context, 'res'>, work: () => Promise<void>): void;
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>;
}

export function createAfterwards({ log }: { log: Logger }): Afterwards {
  const under_way = new Set<Promise<void>>();

  return {
    after({ res }, work) {
      const answered = new Promise<void>((resolve) => {
        if (res.closed) resolve();
        else res.once('close', () => resolve());
      });
      const done = answered
        .then(work)
        .catch((error: unknown) => log.error({ err: error }, 'what was to be done after an answer failed'))
        .finally(() => under_way.delete(done));
      under_way.add(done);
    },
    async idle() {
      while (under_way.size > 0) await Promise.all(under_way);
    },
  };
}
