/** Writes that nothing else in a request waits for: they go into the store together, and nobody is answered before they are there. */
import { Provider } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

const begun = new WeakMap<object, Promise<unknown>[]>();

const ofThisRequest = () => Provider.ctx && begun.get(Provider.ctx);

/** Leaves a write to the answer of the request under way; where there is none that waits, whoever asks does. */
export async function late(write: Promise<unknown>): Promise<void> {
  const writes = ofThisRequest();
  if (!writes) return void (await write);
  write.catch(() => undefined); // told by the answer
  writes.push(write);
}

/** Resolves when all late writes of the request under way have ended, whichever way. */
export async function lateWritesEnded(): Promise<void> {
  await Promise.allSettled(ofThisRequest() ?? []);
}

/** Answers when all late writes have ended. @throws what the first of them threw, where nothing else did. */
export async function awaitLateWrites(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  const writes: Promise<unknown>[] = [];
  begun.set(ctx, writes);
  await next().finally(() => Promise.allSettled(writes));
  await Promise.all(writes);
}
