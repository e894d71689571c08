import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createVault } from '../../../src/kernel/secrets.ts';
import { loadSigningKeys } from '../../../src/keys/signing-key.ts';
import { atOnce } from './at-once.ts';
import type { Driver, Use } from './contract.ts';
import { aSigningKey } from './samples.ts';

export function signingKeyContract(use: Use, { shared }: Driver): void {
  const keys = () => use().storage.signingKeys;

  test('keys come back oldest first, to the byte', async () => {
    const newer = aSigningKey({ alg: 'RS256', created_at: '2026-01-02T00:00:00.000Z' });
    const older = aSigningKey({ alg: 'ES256', created_at: '2026-01-01T00:00:00.000Z' });
    await keys().insert(newer);
    await keys().insert(older);
    const listed = await keys().list();
    expect(listed.map((key) => ({ ...key, sealed: Buffer.from(key.sealed) }))).toEqual([older, newer]);
    for (const { sealed } of listed) expect(sealed).toBeInstanceOf(Uint8Array);
  });

  test('of 20 processes that make the first key at once exactly one does', async () => {
    const { values, errors } = await atOnce(20, () => keys().insert(aSigningKey()));
    expect(values).toHaveLength(1);
    for (const error of errors) expect(error).toMatchObject({ code: 'duplicate' });
    expect(await keys().list()).toHaveLength(1);
  });

  test('processes that start at once on an empty store sign with the same keys', async () => {
    const vault = createVault(randomBytes(32));
    const other = shared ? await use().reopen() : undefined;
    const stores = [keys(), other?.signingKeys ?? keys()];
    const sets = await Promise.all(stores.map((store) => loadSigningKeys({ store, vault })));
    await other?.close();
    expect(sets[0]!.map(({ alg }) => alg)).toEqual(['ES256', 'RS256']);
    expect(sets[1]).toEqual(sets[0]);
  });
}
