/** What was refused most often of late: the newest records of refused requests, counted by reason and app. */
import type { AuditEntry } from '../audit/event.ts';

export interface TopError {
  /** The protocol's name of it, or the status of a page. */
  error: string;
  /** Id of the app it concerns; null where that was not known. */
  client: string | null;
  count: number;
  /** Of the newest one. */
  reference: string | null;
}

const MOST = 5;

/** @param entries of refused requests, newest first. */
export function topErrors(entries: Pick<AuditEntry, 'detail' | 'target' | 'reference'>[]): TopError[] {
  const found = new Map<string, TopError>();
  for (const { detail, target, reference } of entries) {
    const error = detail['error'] ?? detail['status'] ?? detail['at'] ?? 'unknown';
    const client = target.kind === 'client' ? target.id : null;
    const key = JSON.stringify([error, client]);
    const more = 1 + Number(detail['left_out'] ?? 0);
    const before = found.get(key);
    if (before) before.count += more;
    else found.set(key, { error, client, count: more, reference });
  }
  return [...found.values()].toSorted((a, b) => b.count - a.count).slice(0, MOST);
}
