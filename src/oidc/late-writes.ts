/**
 * What a sign-in that goes on writes of its interactions, and reads no more before it answers: it goes into the store with what is written of
 * the session, and nobody is answered before it is there.
 */
import { Provider } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

const begun = new WeakMap<object, Promise<unknown>[]>();

/** Leaves a write to the answer of the request under way; where that does not wait, whoever asks does. */
export async function late(write: Promise<unknown>): Promise<void> {
  const { ctx } = Provider;
  // A device's sign-in tells the device of a failure, which it has to hear of at once.
  const writes = ctx?.oidc.route === 'resume' ? begun.get(ctx) : undefined;
  if (!writes) return void (await write);
  write.catch(() => undefined); // told by the answer
  writes.push(write);
}

/** The browser may try again at the same address: what lets it go on from there stays. */
function keepResumable(ctx: KoaContextWithOIDC): void {
  const name = ctx.oidc.provider.cookieName('resume');
  const set = [ctx.response.get('Set-Cookie') as string | string[]].flat();
  ctx.set(
    'Set-Cookie',
    set.filter((cookie) => cookie !== '' && !cookie.startsWith(`${name}=`) && !cookie.startsWith(`${name}.sig=`)),
  );
}

/** Answers when all late writes have ended. @throws what the first of them threw, where nothing else did. */
export async function awaitLateWrites(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  const writes: Promise<unknown>[] = [];
  begun.set(ctx, writes);
  await next().finally(() => Promise.allSettled(writes));
  try {
    await Promise.all(writes);
  } catch (error) {
    keepResumable(ctx);
    throw error;
  }
}
