import { stringify } from 'yaml';
import type { AnyKind } from './kind.ts';

const SEPARATOR = '---\n';

/** All there is, as files are read: one document each. It holds no secret. */
export async function exportAll(kinds: AnyKind[]): Promise<string> {
  const documents: string[] = [];
  for (const kind of kinds)
    for (const fields of await kind.export())
      documents.push(stringify({ kind: kind.name, ...fields }, { aliasDuplicateObjects: false, lineWidth: 0 }));
  return documents.join(SEPARATOR);
}
