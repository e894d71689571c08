/**
 * The library defines `oidc` on the context of each request by a getter of its own. V8 keeps the record of a getter among the old objects, with
 * all that it leads to until the next full collection, and gives an object with a getter that no other has a slow form: a third of
 * what a token costs. Here it becomes a plain value, as it is asked for by the first step of every endpoint anyway.
 */
import type { Provider } from 'oidc-provider';

type Middleware = (ctx: object, next: () => Promise<unknown>) => Promise<unknown>;

const { defineProperty } = Object;

function defineOidcAsValue<T>(target: T, name: PropertyKey, descriptor: PropertyDescriptor & ThisType<unknown>): T {
  if (name !== 'oidc' || !descriptor.get) return defineProperty(target, name, descriptor);
  Object.defineProperty = defineProperty;
  (target as { oidc?: unknown }).oidc = descriptor.get.call(target);
  return target;
}

/** To be called before anything else uses the instance. Until the library has defined it, within one synchronous call, the language's own way is replaced. */
export function plainContexts(provider: Provider): void {
  const library = provider.middleware.pop() as unknown as Middleware;
  provider.middleware.push((ctx, next) => {
    Object.defineProperty = defineOidcAsValue;
    try {
      return library(ctx, next);
    } finally {
      Object.defineProperty = defineProperty;
    }
  });
}
