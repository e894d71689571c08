/** Deliveries in and out of the store: which app is to be told of which log-out. Whom it is about is sealed with its id as context. */
import { epochSeconds, isoNow } from '../kernel/clock.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { LogOut } from './log-out.ts';
import type { Delivery, DeliveryState, LogoutStore } from './store.ts';

const DAY = 86_400;
/** How long an app is tried. */
export const TRIED_SECONDS = DAY;
/** How long whoever ends something has for it before another process completes it. */
const COMPLETED_AFTER_SECONDS = 30;
/** A log-out itself is completed, however long the store is away. */
const FOR_EVER = 10 * 365 * DAY;

/** Whom an app is told about. `sid` is missing where nobody knows in which session it was: then it means all of the person's. */
export interface Subject {
  account_id: string;
  sid: string | undefined;
}

export interface Notice extends Subject {
  client_id: string;
}

/** What an admin may see of a delivery. */
export interface Entry extends Omit<Delivery, 'sealed'> {
  /** The account it is about; undefined once the app has confirmed. */
  account_id: string | undefined;
}

export interface Queue {
  /** Keeps what is to be told durably; what is there already stays. @param itself the log-out is kept too, to be completed if need be. */
  add(logOut: LogOut, notices: Notice[], options?: { itself: boolean }): Promise<void>;
  /** The log-out is complete, or did not take place. */
  done(logOutId: string): Promise<void>;
  /** By which id an app is told. */
  idOf(logOutId: string, notice: Pick<Notice, 'client_id' | 'sid'>): string;
  list(state: DeliveryState, page: PageRequest): Promise<Page<Entry>>;
  /** What became of a log-out's deliveries, by id. */
  progressOf(logOutId: string): Promise<Map<string, Pick<Delivery, 'state' | 'problem' | 'attempts'>>>;
  /** Has one tried again at once. @returns whether there was one that failed. */
  retry(id: string): Promise<boolean>;
  openNotice(delivery: Delivery): Subject;
  openLogOut(delivery: Delivery): LogOut;
}

/** What a sealed delivery is bound to. */
export const deliveryContext = (id: string): string => `log-out:${id}`;

export function createQueue({ store, vault }: { store: LogoutStore; vault: Vault }): Queue {
  const context = deliveryContext;
  const opened = ({ id, sealed }: Delivery): unknown => JSON.parse(vault.open(sealed!, context(id)));
  const idOf: Queue['idOf'] = (logOutId, { client_id, sid = '' }) =>
    vault.lookupKey('log-out delivery', `${logOutId} ${client_id} ${sid}`);

  function row(logOut: LogOut, id: string, client_id: string | null, content: object): Delivery {
    const now = epochSeconds();
    const isItself = client_id === null;
    return {
      id,
      logout_id: logOut.id,
      client_id,
      cause: logOut.cause,
      state: 'waiting',
      sealed: vault.seal(JSON.stringify(content), context(id)),
      created_at: isoNow(),
      due_at: now + (isItself ? COMPLETED_AFTER_SECONDS : 0),
      give_up_at: now + (isItself ? FOR_EVER : TRIED_SECONDS),
      attempts: 0,
      refusals: 0,
      problem: null,
      settled_at: null,
    };
  }

  function toEntry({ sealed, ...rest }: Delivery): Entry {
    const about = sealed && rest.client_id !== null ? (opened({ ...rest, sealed }) as Subject) : undefined;
    return { ...rest, account_id: about?.account_id };
  }

  return {
    idOf,
    async add(logOut, notices, { itself } = { itself: false }) {
      const rows = notices.map(({ client_id, account_id, sid }) =>
        row(logOut, idOf(logOut.id, { client_id, sid }), client_id, { account_id, sid }),
      );
      const all = itself ? [row(logOut, logOut.id, null, logOut), ...rows] : rows;
      if (all.length > 0) await store.insert(all);
    },
    done: (logOutId) => store.remove(logOutId),
    async list(state, page) {
      const { items, next } = await store.list(state, page);
      return { items: items.map(toEntry), next };
    },
    async progressOf(logOutId) {
      return new Map((await store.listOf(logOutId)).map((delivery) => [delivery.id, delivery]));
    },
    retry: (id) => {
      const now = epochSeconds();
      return store.retry(id, now, now + TRIED_SECONDS);
    },
    openNotice: (delivery) => opened(delivery) as Subject,
    openLogOut: (delivery) => opened(delivery) as LogOut,
  };
}
