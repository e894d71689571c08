/**
 * Clients that registered themselves (RFC 7591 and 7592): the tokens that let somebody register, the token by which each client
 * manages its own record, and when it was last used. Only hashes of tokens are kept.
 */
import { epochSeconds, isoNow } from '../kernel/clock.ts';
import { invalidInput } from '../kernel/errors.ts';
import { newId, newSecret } from '../kernel/ids.ts';
import { hashSecret } from './secret.ts';

/** An initial access token (RFC 7591, section 1.2): whoever has it may register apps. */
export interface InitialToken {
  id: string;
  /** Whom it was given to, for the admin to recognise. */
  name: string;
  token_hash: string;
  created_at: string;
  /** Epoch seconds; null never. */
  expires_at: number | null;
  /** How many apps may be registered with it; null any number. */
  most_uses: number | null;
  uses: number;
}

/** What is kept of a client's registration beside its record. */
export interface Registration {
  client_id: string;
  /** Of the one registration access token there is for it. */
  token_hash: string;
  /** The initial access token it was registered with; null where none was asked for. */
  initial_token: string | null;
  created_at: string;
  /** When it last got tokens; its registration until it does. ISO 8601. */
  used_at: string;
}

/** Where they are kept. Writes survive power loss, but for the time of the last use. */
export interface RegistrationStore {
  addToken(token: InitialToken): Promise<void>;
  /**
   * Counts one use, if the token is neither expired nor used up: of several at once no more get through than are left.
   * @param now epoch seconds. @returns the token, or undefined.
   */
  useToken(tokenHash: string, now: number): Promise<InitialToken | undefined>;
  /** Takes back one use, of a registration that came to nothing. */
  giveBackUse(id: string): Promise<void>;
  /** Oldest first. */
  listTokens(): Promise<InitialToken[]>;
  /** @returns whether there was one. */
  removeToken(id: string): Promise<boolean>;
  add(registration: Registration): Promise<void>;
  find(clientId: string): Promise<Registration | undefined>;
  /** Puts another token's hash in the place of `from`. @returns whether that was still there: of several at once one wins. */
  replaceTokenHash(clientId: string, from: string, to: string): Promise<boolean>;
  /** @param at ISO 8601; an earlier time changes nothing. */
  noteUse(clientId: string, at: string): Promise<void>;
  /** Those not used since `before` (ISO 8601), longest unused first. */
  listUnused(before: string, limit: number): Promise<Registration[]>;
  /** @returns whether there was one. */
  remove(clientId: string): Promise<boolean>;
}

const NAME_MAX = 200;

export interface InitialTokens {
  /** @param input `ttl` in seconds. @returns the token, this once. @throws invalid_input. */
  create(input: {
    name: string;
    ttl?: number | undefined;
    uses?: number | undefined;
  }): Promise<{ initial: InitialToken; token: string }>;
  list(): Promise<InitialToken[]>;
  /** Apps registered with it stay. @returns whether there was one. */
  revoke(id: string): Promise<boolean>;
}

/** The tokens as whoever runs this program handles them. */
export function createInitialTokens(store: RegistrationStore): InitialTokens {
  return {
    async create({ name, ttl, uses }) {
      if (name.trim() === '' || name.length > NAME_MAX)
        throw invalidInput(`name must have 1 to ${NAME_MAX} characters`, 'name');
      const token = newSecret();
      const initial: InitialToken = {
        id: newId('reg_'),
        name: name.trim(),
        token_hash: hashSecret(token),
        created_at: isoNow(),
        expires_at: ttl === undefined ? null : epochSeconds() + ttl,
        most_uses: uses ?? null,
        uses: 0,
      };
      await store.addToken(initial);
      return { initial, token };
    },
    list: () => store.listTokens(),
    revoke: (id) => store.removeToken(id),
  };
}
