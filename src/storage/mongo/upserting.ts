import { isDuplicateKey } from './errors.ts';

/**
 * Runs an upsert. Of two that add the same key at once the server may let both decide to insert and refuse the second: run
 * again, it finds the first one's document.
 */
export async function upserting<T>(upsert: () => Promise<T>): Promise<T> {
  try {
    return await upsert();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return upsert();
  }
}
