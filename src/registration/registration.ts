/** Dynamic registration (RFC 7591, OpenID Connect Registration 1.0) and management (RFC 7592): the use cases. */
import type { Client } from '../clients/client.ts';
import { authMethod } from '../clients/client.ts';
import type { Clients, NewClient } from '../clients/clients.ts';
import { hasSecret } from '../clients/protocol.ts';
import type { Registration, RegistrationStore } from '../clients/registrations.ts';
import { hashSecret, secretMatches } from '../clients/secret.ts';
import { liveSecretsOf } from '../clients/secrets.ts';
import { epochSeconds, isoNow } from '../kernel/clock.ts';
import { invalidInput } from '../kernel/errors.ts';
import { newId, newSecret } from '../kernel/ids.ts';
import { toAnswer, toChange, toNewClient } from './metadata.ts';

/** The bearer token is missing or good for nothing (RFC 6750, section 3.1). */
export class InvalidToken extends Error {
  readonly given: boolean;
  constructor(given: boolean) {
    super(given ? 'the token is not valid' : 'a token is needed');
    this.given = given;
  }
}

type Answer = Record<string, unknown>;
type Body = Record<string, unknown>;

export interface RegistrationUseCases {
  /** @param token the initial access token, if one came. @throws InvalidToken, invalid_input naming the field. */
  register(body: Body, token: string | undefined): Promise<Answer>;
  /** @throws InvalidToken, also where there is no such client. */
  read(clientId: string, token: string | undefined): Promise<Answer>;
  /** Replaces the whole record. @throws InvalidToken, invalid_input naming the field. */
  update(clientId: string, token: string | undefined, body: Body): Promise<Answer>;
  /** @throws InvalidToken. */
  remove(clientId: string, token: string | undefined): Promise<void>;
}

interface Needs {
  issuer: string;
  settings: { mode: 'off' | 'token' | 'open'; rotate_tokens: boolean };
  store: RegistrationStore;
  clients: Pick<Clients, 'register' | 'update' | 'rotateSecret' | 'find' | 'delete'>;
  /** What the policy makes of it. @throws invalid_input. */
  within(input: NewClient): NewClient;
  /** @throws invalid_input where the protocol engine could not work with it. */
  accept(client: Client): Promise<void>;
  /** Whether it is the client's secret. */
  isSecret(client: Client, secret: string): boolean;
  /** Is told what came about, for the audit. */
  note(
    what: 'client_registered' | 'client_changed' | 'client_deleted',
    client: Client,
    by: string | null,
  ): Promise<void>;
}

/** RFC 7592, section 2.2: what a client must not send back. */
const NOT_TO_BE_SENT = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
];

export function createRegistration({
  issuer,
  settings,
  store,
  clients,
  within,
  accept,
  isSecret,
  note,
}: Needs): RegistrationUseCases {
  const answer = (client: Client, token: string, secret?: string): Answer => ({
    ...toAnswer(client),
    ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    registration_client_uri: `${issuer}/register/${client.id}`,
    registration_access_token: token,
  });

  /** @returns whose it is, or null where nobody needs one. */
  async function spendInitial(token: string | undefined): Promise<string | null> {
    if (token === undefined) {
      if (settings.mode === 'open') return null;
      throw new InvalidToken(false);
    }
    const initial = await store.useToken(hashSecret(token), epochSeconds());
    if (!initial) throw new InvalidToken(true);
    return initial.id;
  }

  async function authenticate(id: string, token: string | undefined): Promise<{ client: Client; kept: Registration }> {
    if (token === undefined) throw new InvalidToken(false);
    const kept = await store.find(id);
    if (!kept || !secretMatches(token, kept.token_hash)) throw new InvalidToken(true);
    const client = await clients.find(id);
    if (!client) throw new InvalidToken(true);
    return { client, kept };
  }

  /** Of several changes at once with one token, one gets through. */
  async function rotate(kept: Registration, token: string): Promise<string> {
    if (!settings.rotate_tokens) return token;
    const next = newSecret();
    if (!(await store.replaceTokenHash(kept.client_id, kept.token_hash, hashSecret(next))))
      throw new InvalidToken(true);
    return next;
  }

  async function registerWith(body: Body, initial_token: string | null): Promise<Answer> {
    const input = within(toNewClient(body));
    const id = newId('app_');
    const token = newSecret();
    const now = isoNow();
    // First what finds it again: of a client nobody knows to be unused nothing would ever be removed.
    await store.add({ client_id: id, token_hash: hashSecret(token), initial_token, created_at: now, used_at: now });
    try {
      const { client, client_secret } = await clients.register(input, id, accept);
      await note('client_registered', client, initial_token);
      return answer(client, token, client_secret);
    } catch (error) {
      await store.remove(id);
      throw error;
    }
  }

  function checkSent(client: Client, { client_id, client_secret, ...body }: Body): Body {
    const sent = NOT_TO_BE_SENT.find((name) => body[name] !== undefined);
    if (sent !== undefined) throw invalidInput(`${sent} must not be sent`, sent);
    if (client_id !== client.id) throw invalidInput('client_id must be the one of this address', 'client_id');
    const isWrong =
      client_secret !== undefined && (typeof client_secret !== 'string' || !isSecret(client, client_secret));
    if (isWrong) throw invalidInput('client_secret is not the one that was issued', 'client_secret');
    return body;
  }

  return {
    async register(body, token) {
      const initial = await spendInitial(token);
      try {
        return await registerWith(body, initial);
      } catch (error) {
        if (initial !== null) await store.giveBackUse(initial);
        throw error;
      }
    },
    async read(id, token) {
      const { client } = await authenticate(id, token);
      return answer(client, token!);
    },
    async update(id, token, body) {
      const { client: before, kept } = await authenticate(id, token);
      const input = within(toNewClient(checkSent(before, body)));
      if (input.type !== before.type)
        throw invalidInput(
          'an app with a secret cannot become one without, nor the other way: register it anew',
          'token_endpoint_auth_method',
        );
      const next = await rotate(kept, token!);
      const client = await clients.update(id, toChange(input), undefined, accept);
      const lacksSecret = hasSecret(authMethod(client)) && liveSecretsOf(client).length === 0;
      const { client_secret } = lacksSecret ? await clients.rotateSecret(id) : {};
      await note('client_changed', client, null);
      return answer(client, next, client_secret);
    },
    async remove(id, token) {
      const { client } = await authenticate(id, token);
      await clients.delete(id);
      await store.remove(id);
      await note('client_deleted', client, null);
    },
  };
}
