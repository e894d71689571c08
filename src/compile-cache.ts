import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';

/**
 * Keeps compiled code (types already stripped) in the data folder: without it each start compiles afresh. Must run before
 * anything large is imported, so it reads the data folder's name from the environment alone.
 */
export function setUpCompileCache(): void {
  if (process.env['NODE_COMPILE_CACHE']) return; // Node has set it up already
  const folder = path.resolve(process.env['GATEHOUSE_DATA_DIR'] || './data', 'cache');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    enableCompileCache(folder);
  } catch {
    // A read-only folder costs time at start, nothing else.
  }
}
