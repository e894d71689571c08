/** Whatever runs, files make it what they say: at once, for good, and the same wherever it began. Small cases, of every kind. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inShort, apply, exported, planOf } from '../support/files.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { asFile, world, WORLD_ENV } from '../support/worlds.ts';
import type { Resource } from '../support/worlds.ts';

/** Fewer where the store is slow. */
const runs = (many: number, few: number) => (process.env['FLOWS_ON'] === 'mongodb' ? few : many);
/** Of a run that finds something and looks for the smallest case. */
const PATIENCE = 180_000;
const whole = { prune: true, env: WORLD_ENV };

describe('resources of every kind in files', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  const make = (resources: Resource[], asList?: boolean) => apply(gatehouse, asFile(resources, asList), whole);
  const leftTo = async (text: string) => inShort(await planOf(gatehouse, text, whole));

  it(
    'are there after one run from wherever it began, and a second one has nothing to do; nor has what was exported',
    async () => {
      await fc.assert(
        fc.asyncProperty(world, world, fc.boolean(), async (before, wanted, asList) => {
          await make(before);
          await make(wanted, asList);
          expect(await leftTo(asFile(wanted, asList))).toEqual([]);
          const written = await exported(gatehouse);
          expect(await leftTo(written)).toEqual([]);
          for (const secret of Object.values(WORLD_ENV)) expect(written).not.toContain(secret);
        }),
        { numRuns: runs(40, 5) },
      );
    },
    PATIENCE,
  );

  it(
    'are the same in the end when a run stops halfway and begins again, and are gone when no file names them',
    async () => {
      await fc.assert(
        fc.asyncProperty(world, world, fc.nat({ max: 12 }), async (before, wanted, stopAt) => {
          await make(before);
          const steps = await planOf(gatehouse, asFile(wanted), whole);
          for (const step of steps.slice(0, stopAt)) await step.run();
          await make(wanted);
          const written = await exported(gatehouse);
          await make([]);
          expect(await exported(gatehouse)).toBe('');
          await make(wanted);
          expect(await exported(gatehouse)).toBe(written);
        }),
        { numRuns: runs(25, 3) },
      );
    },
    PATIENCE,
  );
});
