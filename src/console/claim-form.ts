/** One row of a claim table as a form. */
import { CLAIM_SHAPES, CLAIM_SOURCES, CLAIM_TARGETS, isListSource, PROFILE_SOURCES } from '../roles/claim-rules.ts';
import type { ClaimRule, ClaimShape, ClaimSource, Constant, ProfileSource } from '../roles/claim-rules.ts';
import type { Control, Group, Values } from './forms.ts';

const control = (name: string, kind: Control['kind'], more: Partial<Control> = {}): Control => ({
  name,
  kind,
  label: `console.claims.field.${name}`,
  optional: true,
  ...more,
});
const hinted = (name: string, kind: Control['kind'], more: Partial<Control> = {}): Control =>
  control(name, kind, { hint: `console.claims.hint.${name}`, ...more });

export const ROW: Group[] = [
  {
    heading: null,
    controls: [
      hinted('claim', 'text', { optional: false }),
      control('source', 'select', {
        options: CLAIM_SOURCES.map((value) => ({ value, key: `console.claims.source.${value}` })),
      }),
      hinted('field', 'select', {
        options: [{ value: '', text: '' }, ...PROFILE_SOURCES.map((value) => ({ value, text: value }))],
      }),
      hinted('value', 'text'),
      hinted('shape', 'select', {
        options: CLAIM_SHAPES.map((value) => ({ value, key: `console.claims.shape.${value}` })),
      }),
      hinted('prefix', 'text'),
    ],
  },
  {
    heading: 'console.claims.into',
    controls: CLAIM_TARGETS.map((name) =>
      control(name, 'tick', { label: `console.claims.target.${name}`, optional: true }),
    ),
  },
  {
    heading: 'console.claims.when',
    controls: [control('scope', 'text'), control('role', 'text'), control('group', 'text')],
  },
];

const LEVELS = /\s*>\s*/;
export const pathOf = (claim: string[]): string => claim.join(' > ');

/** A number, true, false or a list as JSON has it; all else is a text. */
function constantOf(typed: string): Constant {
  try {
    const value: unknown = JSON.parse(typed);
    if (typeof value !== 'object' || Array.isArray(value)) return value as Constant;
  } catch {
    // a text
  }
  return typed;
}

const typedOf = (value: Constant | undefined): string => {
  if (value === undefined) return '';
  return typeof value === 'string' && constantOf(value) === value ? value : JSON.stringify(value);
};

export const NEW_ROW: Values = {
  source: 'roles',
  shape: 'list',
  id_token: 'yes',
  access_token: 'yes',
  userinfo: 'yes',
};

export const rowValues = ({ claim, source, field, value, shape, prefix, when, into }: ClaimRule): Values => ({
  claim: pathOf(claim),
  source,
  field: field ?? '',
  value: typedOf(value),
  shape: shape ?? 'list',
  prefix: prefix ?? '',
  scope: when?.scope ?? '',
  role: when?.role ?? '',
  group: when?.group ?? '',
  ...Object.fromEntries(CLAIM_TARGETS.map((name) => [name, into.includes(name) ? 'yes' : ''])),
});

/** What is said for another source is left out. */
export function toRow(values: Values): ClaimRule {
  const source = values['source'] as ClaimSource;
  const said = (name: string) => values[name] || undefined;
  return {
    claim: (values['claim'] ?? '').split(LEVELS),
    source,
    ...(source === 'profile' ? { field: said('field') as ProfileSource | undefined } : {}),
    ...(source === 'constant' ? { value: constantOf(values['value'] ?? '') } : {}),
    ...(isListSource(source) ? { shape: said('shape') as ClaimShape | undefined, prefix: said('prefix') } : {}),
    when: { scope: said('scope'), role: said('role'), group: said('group') },
    into: CLAIM_TARGETS.filter((name) => values[name] === 'yes'),
  };
}
