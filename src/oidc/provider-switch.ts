/**
 * The provider as everybody else knows it, while the instance behind it changes with the signing keys: the library reads them once,
 * when it is made. Requests that are under way end with the instance that they began with.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import mount from 'koa-mount';
import type { Provider } from 'oidc-provider';

const mountAt = (base: string, provider: Provider) => (base ? mount(base, provider) : mount(provider));
type Middleware = ReturnType<typeof mountAt>;

export interface ProviderSwitch {
  /**
   * Stands for whichever instance is current. Listeners and middleware that are added to it are added to every later one; its
   * `callback` hands each request to the instance that is current then.
   */
  provider: Provider;
  /** Does something to this instance and to every later one, before it gets requests. */
  eachInstance(setUp: (instance: Provider) => void): void;
  /** Hands requests to the instance that is current when they come, under the issuer's path. */
  engine: Middleware;
}

interface Needs {
  first: Provider;
  /** The issuer's path, empty where it has none. */
  base: string;
  /** Asked before each request, and waited for where it is not up to date. */
  ready: { fresh(): boolean; refresh(): Promise<void>; latest(): Promise<void> };
}

type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

export function createProviderSwitch({ first, base, ready }: Needs): ProviderSwitch & {
  /** Puts another instance in the place of the current one. */
  replace(next: Provider): void;
} {
  const additions: ((instance: Provider) => void)[] = [];
  let current = first;
  let mounted: Middleware | undefined;
  let handler: Handler | undefined;

  function eachInstance(setUp: (instance: Provider) => void): void {
    additions.push(setUp);
    setUp(current);
  }

  // A process that slept knows of keys what they were. Without the store most of what is asked fails by itself; what is public is
  // still answered, and nothing is signed.
  const catchUp = () => ready.refresh().catch(() => undefined);
  // Whoever met a key that they do not know fetches the set for it, and keeps what they get: another process may sign with that
  // key since a moment, as after an emergency.
  const latest = () => ready.latest().catch(() => undefined);
  const keySetPath = first.pathFor('jwks', { mountPath: '' });

  async function getReady(path: string): Promise<void> {
    if (path === keySetPath) await latest();
    else if (!ready.fresh()) await catchUp();
  }

  const handOver: Handler = (req, res) => (handler ??= current.callback() as Handler)(req, res);
  // Nearly always there is nothing to wait for, and each step that could wait costs a microsecond.
  const handle: Handler = (req, res) => {
    const path = req.url!.split('?', 1)[0]!;
    return path !== keySetPath && ready.fresh() ? handOver(req, res) : getReady(path).then(() => handOver(req, res));
  };

  function and(setUp: (instance: Provider) => void): Provider {
    eachInstance(setUp);
    return provider;
  }
  const on = ((...args: Parameters<Provider['on']>) => and((instance) => void instance.on(...args))) as Provider['on'];
  const ours: Record<PropertyKey, unknown> = {
    on,
    addListener: on,
    use: (...args: Parameters<Provider['use']>) => and((instance) => void instance.use(...args)),
    callback: () => handle,
  };

  const provider: Provider = new Proxy(first, {
    get(_, name) {
      if (Object.hasOwn(ours, name)) return ours[name];
      const value: unknown = Reflect.get(current, name, current);
      // Its models are classes, to be had as they are; its methods need their own instance.
      const isMethod = typeof value === 'function' && !/^[A-Z]/.test(String(name));
      return isMethod ? (value.bind(current) as unknown) : value;
    },
    set: (_, name, value) => and((instance) => void Reflect.set(instance, name, value)) === provider,
  });

  return {
    provider,
    eachInstance,
    async engine(ctx, next) {
      await getReady(ctx.path.slice(base.length));
      mounted ??= mountAt(base, current);
      await mounted(ctx, next);
    },
    replace(next) {
      for (const setUp of additions) setUp(next);
      current = next;
      mounted = undefined;
      handler = undefined;
    },
  };
}
