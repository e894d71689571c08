/** Records of what happened as an admin reads them: in words, with the names of who and what they are about. */
import type { TFunction } from 'i18next';
import type { Account } from '../accounts/account.ts';
import { EVENT_TYPES } from '../audit/event.ts';
import type { AuditEntry } from '../audit/event.ts';
import type { Client } from '../clients/client.ts';
import { datesIn } from '../kernel/dates.ts';

interface Needs {
  accounts: { find(id: string): Promise<Account | undefined> };
  clients: { find(id: string): Promise<Client | undefined> };
  providerName: (name: string) => string;
  url(path: string): string;
}

interface Named {
  name: string;
  url: string | null;
}

/** What somebody else may have done in a person's name. */
const CONCERNS = ['wrong_password', 'passkey_copied', 'token_reused'];
/** Said in the words of the entry itself. */
const IN_WORDS = ['client_id', 'provider', 'passkey', 'left'];

/** What admins read when they follow a reference code: in their language. Whatever else a record holds is named as it is there. */
const WORDED = ['at', 'error', 'problem', 'came', 'expected', 'difference', 'hint', 'network', 'amr', 'roles'];

const isEvent = (type: string): boolean => (EVENT_TYPES as readonly string[]).includes(type);

/** @returns what makes them readable in a language. */
export async function shownEntries(entries: AuditEntry[], { accounts, clients, providerName, url }: Needs) {
  const names = new Map<string, Named>();

  async function learn(kind: string, id: string | null): Promise<void> {
    if (id === null || names.has(id)) return;
    names.set(id, { name: id, url: null });
    if (kind === 'client') {
      const client = await clients.find(id);
      const where = client?.type === 'api' ? 'apis' : 'apps';
      if (client) names.set(id, { name: client.client_name, url: url(`/${where}/${encodeURIComponent(id)}`) });
    } else {
      const account = await accounts.find(id);
      if (account) names.set(id, { name: account.name, url: url(`/people/${id}`) });
    }
  }
  await Promise.all(
    entries.flatMap(({ actor, target, detail }) => [
      ...(actor.kind === 'operator' ? [] : [learn(actor.kind === 'client' ? 'client' : 'person', actor.id)]),
      learn(target.kind, target.id),
      learn('client', detail['client_id'] ?? null),
    ]),
  );

  const wordsOf = (t: TFunction, { type, detail }: AuditEntry): string =>
    isEvent(type)
      ? t(`portal.activity.type.${type}`, {
          app: names.get(detail['client_id'] ?? '')?.name ?? '',
          provider: providerName(detail['provider'] ?? ''),
          passkey: detail['passkey'] ?? '',
          ...(detail['left'] === undefined ? {} : { count: Number(detail['left']) }),
        })
      : t(`console.happened.${type}`);

  /** Of an operator all there is is the name. */
  const namedActor = ({ kind, id }: AuditEntry['actor']): { name: string | null; url: string | null } =>
    kind === 'operator' ? { name: id, url: null } : (names.get(id ?? '') ?? { name: null, url: null });

  return (t: TFunction, tag: string, zone: string | undefined) => {
    const dates = datesIn(tag, zone);
    return entries.map((entry) => ({
      seq: entry.seq,
      what: wordsOf(t, entry),
      concern: CONCERNS.includes(entry.type),
      actor: { kind: entry.actor.kind, ...namedActor(entry.actor) },
      target: names.get(entry.target.id ?? '') ?? null,
      same: entry.actor.id !== null && entry.actor.id === entry.target.id,
      where: [entry.device, entry.network].filter((one) => one !== null).join(' · '),
      detail: Object.entries(entry.detail)
        .filter(([name]) => !IN_WORDS.includes(name))
        .map(([name, value]) => ({ name: WORDED.includes(name) ? t(`console.detail.${name}`) : name, value })),
      reference: entry.reference,
      at: dates.moment(entry.at),
    }));
  };
}
