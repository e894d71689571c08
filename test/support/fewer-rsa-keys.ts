/**
 * Set up where not everything is run: an RSA key takes a core 70 ms, and each of some four hundred starts makes one. Here they are
 * made until there are enough that neighbours differ, and from then on are used again, in turn.
 */
import { webcrypto } from 'node:crypto';

const ENOUGH = 16;

type Generate = (algorithm: { name: string }, ...rest: unknown[]) => Promise<unknown>;
const { subtle } = webcrypto as unknown as { subtle: { generateKey: Generate } };
const anew = subtle.generateKey;

// The files of one worker share it.
if (!Object.hasOwn(subtle, 'generateKey')) {
  const kept = new Map<string, unknown[]>();
  subtle.generateKey = async (...parameters) => {
    const [{ name }] = parameters;
    if (!name.startsWith('RSA')) return anew.apply(subtle, parameters);
    const use = JSON.stringify(parameters);
    const keys = kept.get(use) ?? [];
    const next = keys.length < ENOUGH ? await anew.apply(subtle, parameters) : keys.shift();
    kept.set(use, [...keys, next]);
    return next;
  };
}
