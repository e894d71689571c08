/** `npm start`. JavaScript, and nothing large imported before the compile cache is set up: see there. */
import './node-version.js';

const { setUpCompileCache } = await import('./compile-cache.js');
setUpCompileCache();
const { serve } = await import('./serve.ts');
await serve();
