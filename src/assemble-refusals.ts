/** Wires what was refused to the record of what happened. */
import type { IncomingMessage } from 'node:http';
import type { Audit } from './audit/audit.ts';
import { networkPart } from './audit/network.ts';
import { createRefusals } from './audit/refusals.ts';
import { isGatehouseError } from './kernel/errors.ts';
import type { Logger } from './kernel/logger.ts';
import { visible } from './oidc/explain.ts';

interface Needs {
  audit: Audit;
  log: Logger;
  clientAddress(req: IncomingMessage): string;
}

type Page = { req: IncomingMessage; method: string; path: string };

interface Told {
  reference: string;
  client?: string | undefined;
  detail: Record<string, string>;
}

/** The status of what nobody needs explained: there is nothing, or there was too much of it. */
const PLAIN = [404, 429];
/** A part of an address that names one sign-in, person or link. */
const LONG_PART = 16;

const placeOf = (path: string): string =>
  visible(path.replace(/[^/]+/g, (part) => (part.length > LONG_PART && !/^[a-z-]+$/.test(part) ? '…' : part)));

export function assembleRefusals({ audit, log, clientAddress }: Needs) {
  const refusals = createRefusals({ audit, log });
  const note = ({ req }: { req: IncomingMessage }, told: Told) =>
    refusals.note({ ...told, network: networkPart(clientAddress(req)) });

  return {
    ofProtocol: note,
    ofDeadEnd: note,
    /** Of one of our own pages. What is no error of ours is named, and not quoted. */
    ofPage(ctx: Page, { reference, status, error }: { reference: string; status: number; error: unknown }): void {
      if (PLAIN.includes(status)) return;
      const problem = isGatehouseError(error) ? error.message : error instanceof Error ? error.name : 'unknown';
      const code = isGatehouseError(error) ? { error: error.code } : {};
      note(ctx, {
        reference,
        detail: {
          at: `${ctx.method} ${placeOf(ctx.path)}`,
          status: String(status),
          ...code,
          problem: visible(problem),
        },
      });
    },
  };
}
