/** `npm start`. Nothing large may be imported before the compile cache is set up. */
import { setUpCompileCache } from './compile-cache.ts';

setUpCompileCache();
const { serve } = await import('./serve.ts');
await serve();
