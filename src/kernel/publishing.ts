/**
 * How long a key set that was fetched just before a new key was published may still be handed out, besides its life in caches:
 * every process follows the store within one second, and answers take their time. In seconds.
 */
export const PUBLISHING_MARGIN = 2;
