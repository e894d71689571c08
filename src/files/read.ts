/** Reads resources from YAML, and remembers the line of everything in it. */
import path from 'node:path';
import { isAlias, isMap, isNode, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Document, ParsedNode } from 'yaml';
import type { Problem } from './problem.ts';

export interface Entry {
  value: Record<string, unknown>;
  /** Folder that file references start from. */
  folder: string;
  /** @returns file and line of what is at this path; of the nearest that is there, where it is missing. */
  where(at?: readonly PropertyKey[]): string;
}

export interface Source {
  /** As it is to be called in messages. */
  name: string;
  folder: string;
  text: string;
}

const isTree = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Read = { entries: Entry[]; problems: Problem[] };
type Parsed = Document.Parsed<ParsedNode>;

/** Where the value at a path begins, or its key where it is one of a mapping. */
function offsetOf(document: Parsed, at: readonly PropertyKey[]): number {
  for (let length = at.length; length > 0; length -= 1) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(at.slice(0, length - 1), true);
    const key = at[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((one) => isScalar(one.key) && String(one.key.value) === String(key));
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const node: unknown = document.getIn(at.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? document.range[0];
}

/** A few lines could stand for any number of values, and each would have two places. */
function aliasIn(document: Parsed): number | undefined {
  let found: number | undefined;
  visit(document, {
    Alias(_, node) {
      found = node.range?.[0];
      return visit.BREAK;
    },
  });
  return isAlias(document.contents) ? document.contents.range?.[0] : found;
}

/** Each document of a file is one resource, or a list of them; an empty one is none. */
export function readSource({ name, folder, text }: Source): Read {
  const lines = new LineCounter();
  const at = (offset: number) => `${name}:${lines.linePos(offset).line}`;
  const problems: Problem[] = [];
  const entries: Entry[] = [];
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  // Without a document it gives an empty list with more about it.
  for (const document of Array.isArray(documents) ? (documents as Parsed[]) : []) {
    const faults = [...document.errors, ...document.warnings];
    problems.push(...faults.map(({ pos, message }) => ({ where: at(pos[0]), message })));
    const alias = aliasIn(document);
    if (alias !== undefined) problems.push({ where: at(alias), message: 'aliases are not read: write the value out' });
    if (faults.length > 0 || alias !== undefined) continue;
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    const prefix = Array.isArray(value) ? (index: number) => [index] : () => [];
    const items: unknown[] = Array.isArray(value) ? value : value === null || value === undefined ? [] : [value];
    items.forEach((item, index) => {
      const where: Entry['where'] = (below = []) => at(offsetOf(document, [...prefix(index), ...below]));
      if (isTree(item)) entries.push({ value: item, folder, where });
      else problems.push({ where: where(), message: 'a resource is a mapping that begins with its kind' });
    });
  }
  return { entries, problems };
}

export const sourceOf = (file: string, text: string): Source => ({ name: file, folder: path.dirname(file), text });
