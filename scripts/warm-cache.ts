/**
 * Run while an image is built, with NODE_COMPILE_CACHE set: loads everything a server, a command or a storage driver would
 * load, serves a page and a discovery document from memory, and leaves the compiled code in the cache.
 */
import { randomBytes } from 'node:crypto';
import { flushCompileCache, getCompileCacheDir } from 'node:module';
import { assemble } from '../src/assemble.ts';
import '../src/cli/run.ts';
import { loadConfig } from '../src/config/load.ts';
import { inProcessFetch } from '../src/http/in-process.ts';
import '../src/serve.ts';
import '../src/storage/mongo/open.ts';

const secret = () => randomBytes(32).toString('base64');
const quiet = { error: () => undefined, warn: () => undefined, info: () => undefined };

const config = loadConfig({
  NODE_ENV: 'warm-up',
  GATEHOUSE_STORAGE_URL: 'sqlite::memory:',
  // Given here so that none are written anywhere.
  GATEHOUSE_SECRETS_ENCRYPTION_KEY: secret(),
  GATEHOUSE_SECRETS_COOKIE_KEYS: secret(),
});
const gatehouse = await assemble(config, quiet);
const fetch = inProcessFetch({ issuer: config.issuer, handle: () => gatehouse.handle });
for (const path of ['/', '/.well-known/openid-configuration']) {
  const { status } = await fetch(config.issuer + path, { method: 'GET', headers: { accept: 'text/html' } });
  if (status !== 200) throw new Error(`${path} answered ${status}`);
}
await gatehouse.close();
flushCompileCache();
process.stdout.write(`compiled code is in ${getCompileCacheDir() ?? 'no cache: NODE_COMPILE_CACHE is not set'}\n`);
