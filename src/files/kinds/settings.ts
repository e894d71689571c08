/** Settings in files: one entry says all of them, by the names of the configuration. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { SETTING_FIELDS } from '../../admin/routes/settings.ts';
import { OPERATOR } from '../../administration/principal.ts';
import type { AllSettings, Settings } from '../../administration/settings.ts';
import { judged, mustNotGo } from '../kind.ts';
import type { Change, Item, Kind, Step } from '../kind.ts';
import type { Problem } from '../problem.ts';

type Wanted = Record<string, unknown>;

const ID = 'settings';

const changesOf = (before: AllSettings, after: AllSettings): Change[] =>
  before.items.flatMap(({ key, value, source }, index) => {
    const next = after.items[index]!;
    return isDeepStrictEqual(value, next.value) && source === next.source
      ? []
      : [{ field: key, old: value, new: next.source === 'set' ? next.value : '(as configured)' }];
  });

export function settingsKind(settings: Settings): Kind<Wanted> {
  async function step(wanted: Wanted, act: Step['act']): Promise<Step | undefined> {
    const before = await settings.list();
    const change = Object.fromEntries(before.items.map(({ key }) => [key, wanted[key] ?? null]));
    const changes = changesOf(before, await settings.draft(change));
    if (changes.length === 0) return undefined;
    return {
      act,
      kind: ID,
      id: ID,
      changes,
      notes: [],
      async run() {
        await settings.change(OPERATOR, change, before.version);
      },
    };
  }

  return {
    name: ID,
    schema: z.strictObject(SETTING_FIELDS),
    identities: () => [ID],
    async plan(items: Item<Wanted>[], { prune, outlook }) {
      const problems: Problem[] = [];
      const steps: Step[] = [];
      const add = (found: Step | undefined) => void (found && steps.push(found));
      // The keys have dots in them.
      for (const item of items)
        await judged(
          {
            ...item,
            entry: {
              ...item.entry,
              where: ([...path] = []) => item.entry.where(path.length > 0 ? [path.join('.')] : []),
            },
          },
          problems,
          async () => {
            mustNotGo('role', item.wanted['factors.required_roles'] as string[] | null | undefined, outlook);
            add(await step(item.wanted, 'change'));
          },
        );
      if (items.length === 0 && prune) add(await step({}, 'remove'));
      return { steps, problems };
    },
    async export() {
      const set = (await settings.list()).items.filter(({ source }) => source === 'set');
      return set.length === 0 ? [] : [Object.fromEntries(set.map(({ key, value }) => [key, value]))];
    },
  };
}
