/** The example that keeps signing keys in a PKCS#11 token, with SoftHSM as the token: it really signs, and `jose` verifies. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, passTime } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const SIGNER = path.resolve(import.meta.dirname, '../../examples/pkcs11-signer/signer.ts');
const available = existsSync(MODULE) && existsSync('/usr/bin/pkcs11-tool');
if (!available) console.warn('SKIPPED: nothing signs with PKCS#11. Install softhsm2 and opensc.');

describe.skipIf(!available)('signing keys in a PKCS#11 token', () => {
  let folder: string;
  let gatehouse: Running;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-hsm-'));
    mkdirSync(path.join(folder, 'tokens'));
    const conf = path.join(folder, 'softhsm2.conf');
    writeFileSync(conf, `directories.tokendir = ${folder}/tokens\nlog.level = ERROR\n`);
    vi.stubEnv('SOFTHSM2_CONF', conf);
    vi.stubEnv('PKCS11_MODULE', MODULE);
    vi.stubEnv('PKCS11_TOKEN_LABEL', 'gatehouse');
    vi.stubEnv('PKCS11_PIN', '1234');
    const init = ['--init-token', '--free', '--label', 'gatehouse', '--pin', '1234', '--so-pin', '4321'];
    execFileSync('softhsm2-util', init);
    gatehouse = await startGatehouse({
      GATEHOUSE_KEYS_SIGNER: SIGNER,
      GATEHOUSE_KEYS_ALGORITHMS: 'ES256,RS256,PS256,EdDSA',
    });
  }, 120_000);
  afterAll(async () => {
    await gatehouse.stop();
    backToNow();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  const objects = () =>
    execFileSync('pkcs11-tool', [
      ...['--module', MODULE, '--token-label', 'gatehouse', '--login', '--pin', '1234', '--list-objects'],
    ]).toString();

  it.each(['RS256', 'PS256', 'EdDSA', 'ES256'] as const)(
    'sign ID tokens with %s that verify',
    { timeout: 60_000 },
    async (alg) => {
      const rp = await relyingParty(
        gatehouse,
        await gatehouse.app({ first_party: true, id_token_signed_response_alg: alg }),
      );
      const { id_token } = await rp.signIn(await gatehouse.person());
      const keys = createRemoteJWKSet(new URL(`${gatehouse.issuer}/jwks`));
      const { protectedHeader } = await jwtVerify(id_token!, keys, { issuer: gatehouse.issuer, algorithms: [alg] });
      expect(objects()).toContain(`gatehouse-${alg}-`);
      expect(protectedHeader.alg).toBe(alg);
      expect((await gatehouse.keys.overview()).keys.find(({ id }) => id === protectedHeader.kid)).toMatchObject({
        alg,
        held: 'signer',
        state: 'active',
      });
    },
  );

  it('sign access tokens, and rotate; what is removed is destroyed in the token', { timeout: 60_000 }, async () => {
    const api = await gatehouse.app({ type: 'api', name: 'Notes API', scope: 'notes:read' });
    const service = await gatehouse.app({ type: 'service', name: 'Nightly', scope: 'notes:read' });
    const token = async () =>
      String((await as(gatehouse, service).clientCredentials({ resource: api.resource! })).body['access_token']);
    const verified = async (jwt: string) =>
      (await jwtVerify(jwt, createRemoteJWKSet(new URL(`${gatehouse.issuer}/jwks`)))).protectedHeader.kid;
    const first = await verified(await token());
    const before = objects().match(/Private Key Object/g)!.length;
    await gatehouse.keys.rotation.compromise({ algorithms: ['ES256'] });
    passTime(2);
    const second = await token();
    expect(await verified(second)).not.toBe(first);
    expect(decodeProtectedHeader(second).alg).toBe('ES256');
    expect(objects().match(/Private Key Object/g)).toHaveLength(before);
  });
});
