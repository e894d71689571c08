/**
 * The OpenAPI document against the API that it describes: schemathesis makes up requests that fit it and requests that do not.
 * Runs where `SCHEMATHESIS` names the program (`pip install schemathesis`); CI installs it.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programToken } from '../support/admin-api.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { tokenProxy } from '../support/token-proxy.ts';

const program = process.env['SCHEMATHESIS'];
if (program === undefined)
  console.warn('SKIPPED: schemathesis. Set SCHEMATHESIS to the program, such as venv/bin/schemathesis, to run it.');

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
  'use_after_free',
];

const REMOVES_KEYS = 'removeSigningKeys';

describe.skipIf(program === undefined)('schemathesis', () => {
  let gatehouse: Running;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-schemathesis-'));
    gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ADMIN_API_CLIENT_AND_ADDRESS: '100000' });
    for (const name of ['Ada Lovelace', 'Grace Hopper', 'Alan Turing']) await gatehouse.person({ name });
    await gatehouse.app();
  });
  afterAll(async () => {
    await gatehouse.stop();
    await rm(folder, { recursive: true });
  });

  /** @returns its exit code and what it said. */
  async function schemathesis(url: string, token: string, options: string[]) {
    const run = promisify(execFile)(
      program!,
      [
        'run',
        `${gatehouse.issuer}/admin/api/openapi.json`,
        ...['--url', url],
        ...['--checks', CHECKS.join(',')],
        ...['--header', `Authorization: Bearer ${token}`],
        ...['--phases', 'examples,coverage,fuzzing'],
        ...['--max-examples', '5'],
        ...['--seed', '20260102'],
        ...['--suppress-health-check', 'all'],
        ...['--warnings', 'off'],
        ...['--output-truncate', 'true'],
        '--no-shrink',
        '--no-color',
        ...options,
      ],
      { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
    );
    const { stdout, code } = await run.then(
      (done) => ({ ...done, code: 0 }),
      (failed: { stdout: string; stderr: string; code: number }) => failed,
    );
    // Bodies may be long, and what was found is in the first characters of a line.
    const found = stdout.split('\n').map((line) => line.slice(0, 400));
    return { code, said: found.slice(-150).join('\n') };
  }
  const api = (origin: string) => `${origin}/admin/api/v1`;

  it('finds no answer that the document does not foresee', async () => {
    const token = await programToken(gatehouse);
    // It would remove the key that signed the token: it has a test of its own.
    const { code, said } = await schemathesis(api(gatehouse.issuer), token, ['--exclude-operation-id', REMOVES_KEYS]);
    expect(code, said).toBe(0);
  }, 180_000);

  it('nor where each request may remove the key that signed its token', async () => {
    const proxy = await tokenProxy(gatehouse.issuer, 'a-token-that-holds', () => programToken(gatehouse));
    try {
      const { code, said } = await schemathesis(api(proxy.origin), 'a-token-that-holds', [
        ...['--include-operation-id', REMOVES_KEYS],
      ]);
      expect(code, said).toBe(0);
      // It did remove it: a token that was good is not any more, within a second.
      const headers = { authorization: 'Bearer a-token-that-holds' };
      const needed = async () => {
        await fetch(`${api(proxy.origin)}/keys`, { headers });
        return proxy.tokens();
      };
      await expect.poll(needed, { message: said }).toBeGreaterThan(1);
    } finally {
      await proxy.stop();
    }
  }, 120_000);
});
