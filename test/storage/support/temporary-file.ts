import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file that is not there yet, in a folder of its own. */
export function temporaryFile(): { file: string; remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-'));
  return { file: path.join(folder, 'gatehouse.db'), remove: () => rmSync(folder, { recursive: true }) };
}
