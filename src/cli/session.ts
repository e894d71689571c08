import type { Backstage } from '../assemble-backstage.ts';

/** Runs `work` with the use cases over the open store. */
export type Session = <T>(work: (backstage: Backstage) => Promise<T>) => Promise<T>;
