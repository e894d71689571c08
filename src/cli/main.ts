/**
 * `npm run gatehouse -- <command>`: the use cases of the rooms on the command line, over the same configuration and store as
 * a running server. Results go to standard output, with `--json` as one document; errors go to standard error with exit code
 * 1, wrong usage with 2.
 */
import { setUpCompileCache } from '../compile-cache.ts';

setUpCompileCache();
const { run } = await import('./run.ts');
process.exitCode = await run(process.argv);
