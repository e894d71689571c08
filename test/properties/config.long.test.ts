import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { configKeys } from '../../src/config/keys.ts';
import { ConfigError } from '../../src/config/error.ts';
import { loadConfig } from '../../src/config/load.ts';

describe('the configuration', () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-config-'));
    file = path.join(folder, 'config.yaml');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const problemsOf = (text: string | Uint8Array, env: Record<string, string> = {}): string[] => {
    writeFileSync(file, text);
    try {
      loadConfig({ NODE_ENV: 'test', GATEHOUSE_CONFIG: file, GATEHOUSE_DATA_DIR: folder, ...env });
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  };

  const known = new Set(configKeys.map((key) => key.path[0]));
  const name = fc.stringMatching(/^[a-z][a-z_]{0,20}$/).filter((one) => !known.has(one));

  it('refuses every unknown key by its name, all at once', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 1, maxLength: 5 }),
        fc.jsonValue({ maxDepth: 2 }),
        (names, value) => {
          const problems = problemsOf(stringify(Object.fromEntries(names.map((one) => [one, value]))));
          for (const one of names)
            expect(
              problems.filter((problem) => problem.startsWith(`${one} is not a known key; the nearest is `)),
            ).toHaveLength(1);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('refuses unknown keys inside every section too', () => {
    const sections = [...new Set(configKeys.filter((key) => key.path.length > 1).map((key) => key.path[0]!))].filter(
      (section) => section !== 'federation', // whose keys are names of the operator's own
    );
    const inside = new Set(configKeys.map((key) => key.path.at(-1)));
    fc.assert(
      fc.property(
        fc.constantFrom(...sections),
        name.filter((one) => !inside.has(one)),
        (section, one) => {
          expect(problemsOf(stringify({ [section]: { [one]: 1 } })).join()).toContain(
            `${section}.${one} is not a known key`,
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('never throws anything but a list of problems, whatever the file holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }),
          fc.jsonValue({ maxDepth: 4 }).map((value) => stringify(value)),
          fc.uint8Array({ maxLength: 200 }),
          fc.constantFrom(
            '__proto__: {}',
            'constructor: 1',
            '- a\n- b',
            '&a [*a]',
            '!!js/function x',
            '? [a]\n: b',
            'issuer: {a: 1}',
            'port: .inf',
            'issuer: http://',
            'storage: []',
            '%YAML 9',
            '---\na: 1\n---\nb: 2',
            'a: *unknown',
            'toString: 1',
            'secrets: {__proto__: {encryption_key: x}}',
          ),
        ),
        (text) => void problemsOf(text as string),
      ),
      { numRuns: 150 },
    );
  });

  it('never throws anything but a list of problems, whatever a variable holds', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\u0000'));
    fc.assert(
      fc.property(
        fc.constantFrom(...configKeys.filter((key) => key.env !== 'GATEHOUSE_DATA_DIR').map((key) => key.env)),
        text,
        (env, value) => {
          problemsOf('', { [env]: value });
          problemsOf('', { [`${env}_FILE`]: value });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never repeats a secret in a problem', () => {
    for (const key of configKeys.filter((one) => one.secret)) {
      const problems = problemsOf('', { NODE_ENV: 'production', [key.env]: 'a-secret-value' });
      expect([key.env, problems.join().includes('a-secret-value')]).toEqual([key.env, false]);
    }
  });
});
