/**
 * The shapes that the API takes and gives, in the order in which the document has them. What it takes is strict; of what it gives, only what is
 * named here leaves.
 */
export { listOf, name, named, page, search } from './schema-parts.ts';
export * from './user-schemas.ts';
export * from './client-schemas.ts';
export * from './api-schemas.ts';
export * from './secret-schemas.ts';
export * from './audit-schemas.ts';
export * from './problem-schema.ts';
