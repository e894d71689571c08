/**
 * `npm run gatehouse -- <command>`: the use cases of the rooms on the command line, over the same configuration and store as
 * a running server. Results go to standard output, with `--json` as one document; errors go to standard error with exit code
 * 1, wrong usage with 2.
 */
import process from 'node:process';
import '../node-version.js';

const { setUpCompileCache } = await import('../compile-cache.js');
setUpCompileCache();
const { FAILED, run } = await import('./run.ts');
// A reader that has seen enough (`| head -1`) is no failure.
process.stdout.on('error', (error) => process.exit('code' in error && error.code === 'EPIPE' ? 0 : FAILED));
process.exitCode = await run(process.argv);
