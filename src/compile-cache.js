import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import process from 'node:process';

/**
 * Keeps compiled code (types already stripped) in the data folder: without it each start compiles afresh. Must run before
 * anything large is imported, so it reads the data folder's name from the environment alone. This file and those that call it
 * are JavaScript: for the first TypeScript that is not in the cache Node loads what strips types, which stays in memory (15 MB).
 */
export function setUpCompileCache() {
  if (process.env['NODE_COMPILE_CACHE']) return; // Node has set it up already
  const folder = path.resolve(process.env['GATEHOUSE_DATA_DIR'] || './data', 'cache');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    enableCompileCache(folder);
  } catch {
    // A read-only folder costs time at start, nothing else.
  }
}
