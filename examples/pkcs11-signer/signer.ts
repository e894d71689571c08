/**
 * Signing keys in a PKCS#11 token (a smart card, a hardware security module, SoftHSM), by way of `pkcs11-tool` from OpenSC. See
 * README.md. Private keys are made in the token and never leave it.
 */
import { execFile } from 'node:child_process';
import { createPublicKey, hash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { JWK } from 'jose';
import PQueue from 'p-queue';
import type { Signer } from '../../src/keys/signer.ts';
import type { SigningAlgorithm } from '../../src/keys/signing-key.ts';

const run = promisify(execFile);
/** Each signature is a process: more at once only take turns. */
const AT_ONCE = 4;
const TIMEOUT_MS = 10_000;

/** What the tool calls them. The token is given a hash where it cannot make one itself. */
const ALGORITHMS: Record<SigningAlgorithm, { keyType: string; sign: string[]; hashed: boolean }> = {
  ES256: { keyType: 'EC:prime256v1', sign: ['--mechanism', 'ECDSA', '--signature-format', 'rs'], hashed: true },
  RS256: { keyType: 'rsa:2048', sign: ['--mechanism', 'SHA256-RSA-PKCS'], hashed: false },
  PS256: { keyType: 'rsa:2048', sign: ['--mechanism', 'SHA256-RSA-PKCS-PSS', '--salt-len', '32'], hashed: false },
  EdDSA: { keyType: 'EC:edwards25519', sign: ['--mechanism', 'EDDSA'], hashed: false },
};

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** The tool writes DER, or PEM for some kinds of keys. */
function toJwk(written: Buffer): JWK {
  const isPem = written.subarray(0, 5).toString() === '-----';
  const key = isPem ? createPublicKey(written) : createPublicKey({ key: written, format: 'der', type: 'spki' });
  return key.export({ format: 'jwk' });
}

/** Called by Gatehouse, which names this file in `keys.signer`. */
export function createSigner(): Signer {
  const token = ['--module', setting('PKCS11_MODULE'), '--token-label', setting('PKCS11_TOKEN_LABEL')];
  setting('PKCS11_PIN');
  const queue = new PQueue({ concurrency: AT_ONCE });
  /** One key after the other: SoftHSM does not find its token while another process writes to it. */
  const making = new PQueue({ concurrency: 1 });

  // The PIN goes by its variable: arguments can be read by everybody on the machine.
  const tool = (...args: string[]) =>
    queue.add(() =>
      run('pkcs11-tool', [...token, '--login', '--pin', 'env:PKCS11_PIN', ...args], { timeout: TIMEOUT_MS }),
    );

  /** Runs `work` with a folder for what goes in and out. */
  async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(path.join(tmpdir(), 'pkcs11-'));
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  return {
    generate: (alg) =>
      making.add(async () => {
        const reference = randomBytes(8).toString('hex');
        const { keyType } = ALGORITHMS[alg];
        await tool(
          '--keypairgen',
          '--key-type',
          keyType,
          '--id',
          reference,
          '--label',
          `gatehouse-${alg}-${reference}`,
        );
        const publicKey = await inFolder(async (folder) => {
          const file = path.join(folder, 'public');
          await tool('--read-object', '--type', 'pubkey', '--id', reference, '--output-file', file);
          return toJwk(await readFile(file));
        });
        return { reference, publicKey };
      }),

    sign: (reference, alg, data) =>
      inFolder(async (folder) => {
        const { sign, hashed } = ALGORITHMS[alg];
        const [input, output] = [path.join(folder, 'data'), path.join(folder, 'signature')];
        await writeFile(input, hashed ? hash('sha256', data, 'buffer') : data);
        await tool('--sign', '--id', reference, ...sign, '--input-file', input, '--output-file', output);
        return readFile(output);
      }),

    async remove(reference) {
      for (const type of ['privkey', 'pubkey']) await tool('--delete-object', '--type', type, '--id', reference);
    },
  };
}
