/** Records in and out of the texts that they rest as. */
import { newId } from '../kernel/ids.ts';
import { commitmentTo, linkMac } from './chain.ts';
import type { Signer } from './chain.ts';
import type { ActType, AuditEntry, By, EventType, TargetKind } from './event.ts';
import type { Appended, PersonalPart, StoredRecord } from './store.ts';

/** What happened, before it has its place in the chain. People are named by pseudonym. */
export interface Draft {
  id: string;
  at: string;
  type: EventType | ActType;
  actor: { kind: By; id: string | null };
  target: { kind: TargetKind; id: string | null };
  detail: Record<string, string>;
  reference: string | null;
  /** What is said of a person goes into a part of theirs. */
  personal: { subject: string; network?: string | null; device?: string | null; detail?: Record<string, string> }[];
  adopted: string | null;
}

/** The text that is chained, in this order of fields. */
interface Document extends Omit<Draft, 'personal'> {
  seq: number;
  personal: { subject: string; commitment: string }[];
}

interface Part {
  salt: string;
  network?: string | null;
  device?: string | null;
  detail?: Record<string, string>;
}

/** @param previous the keyed hash of the record before. */
export function toRecord(signer: Signer, draft: Draft, seq: number, previous: string): Appended {
  const parts: PersonalPart[] = draft.personal.map(({ subject, ...said }) => ({
    record_id: draft.id,
    subject,
    document: JSON.stringify({ salt: newId(), ...said } satisfies Part),
  }));
  const content: Document = {
    seq,
    id: draft.id,
    at: draft.at,
    type: draft.type,
    actor: draft.actor,
    target: draft.target,
    detail: draft.detail,
    reference: draft.reference,
    adopted: draft.adopted,
    personal: parts.map(({ subject, document }) => ({ subject, commitment: commitmentTo(document) })),
  };
  const document = JSON.stringify(content);
  const { id, at, type, actor, target, adopted, reference } = draft;
  const mac = linkMac(signer, previous, document);
  return {
    record: { seq, id, at, type, actor: actor.id, target: target.id, document, mac, adopted, reference },
    parts,
  };
}

export const readDocument = (text: string): Document => JSON.parse(text) as Document;

/** Whether what is searched by is what the document says. */
export function isAsFiled(record: StoredRecord, document: Document): boolean {
  const { seq, id, at, type, actor, target, adopted, reference } = document;
  return (
    record.seq === seq &&
    record.id === id &&
    record.at === at &&
    record.type === type &&
    record.actor === actor.id &&
    record.target === target.id &&
    record.adopted === adopted &&
    record.reference === reference
  );
}

/** @param parts of this record. @param accountOf whose pseudonym it is; itself where nobody's. */
export function toEntry(
  record: StoredRecord,
  parts: PersonalPart[],
  accountOf: (subject: string) => string,
): AuditEntry {
  const { seq, id, at, type, actor, target, detail, reference } = readDocument(record.document);
  const said = parts.map(({ document }) => JSON.parse(document) as Part);
  const name = (who: { kind: string; id: string | null }) =>
    who.id !== null && (who.kind === 'person' || who.kind === 'admin') ? accountOf(who.id) : who.id;
  return {
    seq,
    id,
    at,
    type,
    actor: { kind: actor.kind, id: name(actor) },
    target: { kind: target.kind, id: name(target) },
    network: said.find((part) => part.network)?.network ?? null,
    device: said.find((part) => part.device)?.device ?? null,
    detail: Object.assign({}, detail, ...said.map((part) => part.detail ?? {})) as Record<string, string>,
    reference,
  };
}
