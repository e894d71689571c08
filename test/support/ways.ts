/**
 * By which way a token request was answered: events of the library's own models tell, which nobody else makes.
 */
import { Provider } from 'oidc-provider';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Told } from './both-ways.ts';

const BY_LIBRARY = /^(access_token|refresh_token|client_credentials)\.(saved|issued|consumed)$/;

export type Way = 'plainly' | 'by the library';

export interface Ways {
  /** @returns the answer, which is right, and by which way it came. */
  wayOf(send: () => Promise<Told>): Promise<{ told: Told; way: Way }>;
  /** The way of what is right whatever it is. */
  of(send: () => Promise<unknown>): Promise<Way>;
}

/** Listens in each test of the file or the group that calls it. */
export function watchWays(): Ways {
  let events: string[] = [];
  beforeEach(() => {
    const { emit } = Provider.prototype;
    vi.spyOn(Provider.prototype, 'emit').mockImplementation(function noted(this: Provider, name, ...given: unknown[]) {
      events.push(String(name));
      return emit.call(this, name, ...given);
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  async function heard<T>(send: () => Promise<T>): Promise<[T, Way]> {
    events = [];
    const sent = await send();
    expect(events.filter((name) => name === 'grant.success')).toHaveLength(1);
    return [sent, events.some((name) => BY_LIBRARY.test(name)) ? 'by the library' : 'plainly'];
  }
  return {
    async wayOf(send) {
      const [told, way] = await heard(send);
      expect([told.status, told.text]).toEqual([200, expect.any(String)]);
      return { told, way };
    },
    of: async (send) => (await heard(send))[1],
  };
}
