import { Option } from 'commander';
import type { Command } from 'commander';
import { invalidInput } from '../kernel/errors.ts';
import { SIGNING_ALGORITHMS } from '../keys/signing-key.ts';
import type { SigningAlgorithm, SigningKey } from '../keys/signing-key.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

const KEY_COLUMNS = ['id', 'alg', 'state', 'since', 'next_state', 'next_change_at', 'held'];
const FETCH_COLUMNS = ['address', 'user_agent', 'last_at', 'fetches'];

interface RotateOptions {
  alg?: SigningAlgorithm[];
  compromised?: true;
  key?: string;
  json?: boolean;
}

const facts = ({ id, alg, state, signs_at, ends_at }: SigningKey) => ({
  id,
  alg,
  state,
  ...(state === 'next' ? { signs_at } : {}),
  ...(state === 'removed' ? { removed_at: ends_at } : {}),
});

/** `keys list|rotate`. */
export function keyCommands(program: Command, session: Session, output: Output): void {
  const keys = program.command('keys').description('The keys that sign tokens.');

  keys
    .command('list')
    .description(
      'The signing keys, what becomes of each and when, and who fetched the key set since the newest was published.',
    )
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) =>
      session(async ({ keys: { overview } }) => {
        const found = await overview();
        if (options.json) return output.one({ ...found }, options);
        output.many(
          found.keys.map((key) => ({ ...key })),
          KEY_COLUMNS,
          options,
        );
        if (found.fetched.length === 0) return;
        process.stdout.write(
          `\nThe key set was fetched${found.fetched_since ? ` since ${found.fetched_since}` : ''} by:\n`,
        );
        output.many(found.fetched, FETCH_COLUMNS, options);
      }),
    );

  keys
    .command('rotate')
    .description(
      'Publish the next key of each algorithm, which signs after keys.lead; or remove keys now that somebody else may have.',
    )
    .addOption(new Option('--alg <alg...>', 'only these algorithms').choices(SIGNING_ALGORITHMS))
    .option('--compromised', 'remove all keys now, sign with new ones at once, refuse what the removed ones signed')
    .option('--key <id>', 'with --compromised: remove only this key')
    .option('--json', 'print one JSON document')
    .action(({ alg, compromised, key, ...options }: RotateOptions) =>
      session(async ({ keys: { rotation } }) => {
        if (key !== undefined && !compromised) throw invalidInput('--key goes with --compromised', 'key');
        if (key !== undefined && alg) throw invalidInput('--key and --alg do not go together', 'key');
        const changed = compromised
          ? await rotation.compromise({
              ...(alg ? { algorithms: alg } : {}),
              ...(key === undefined ? {} : { id: key }),
            })
          : await rotation.rotate(alg);
        if (options.json) return output.one({ [compromised ? 'removed' : 'published']: changed.map(facts) }, options);
        if (changed.length > 0)
          return output.many(
            changed.map(facts),
            ['id', 'alg', 'state', compromised ? 'removed_at' : 'signs_at'],
            options,
          );
        process.stdout.write('A next key of each algorithm is published already: see keys list.\n');
      }),
    );
}
