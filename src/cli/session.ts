import type { Operator } from '../audit/audit.ts';
import type { Backstage } from '../assemble-backstage.ts';

/** Runs `work` with the use cases over the open store. */
export type Session = <T>(work: (backstage: Backstage, operator: Operator) => Promise<T>) => Promise<T>;
