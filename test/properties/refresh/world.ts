/**
 * Two instances of the engine on one real store, whose every step is taken in an order that a test chooses, and may fail before or
 * after it is done: what a killed process and a store that is away look like to those who go on.
 */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import inject from 'light-my-request';
import type { Provider } from 'oidc-provider';
import { assembleBackstage } from '../../../src/assemble-backstage.ts';
import { assembleProtocol, clientSecrets } from '../../../src/assemble-protocol.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { unavailable } from '../../../src/kernel/errors.ts';
import { createLogger } from '../../../src/log.ts';
import { GRANT_TYPES } from '../../../src/clients/protocol.ts';
import { createClientDirectory } from '../../../src/oidc/client-directory.ts';
import { handleFailures } from '../../../src/oidc/failures.ts';
import { createProvider } from '../../../src/oidc/provider.ts';
import type { ProviderNeeds } from '../../../src/oidc/provider-needs.ts';
import { createRestarts } from '../../../src/oidc/restarts.ts';
import { createSealedRecords } from '../../../src/protocol/sealed-records.ts';
import type { SealedRecords } from '../../../src/protocol/sealed-records.ts';
import type { ProtocolStore } from '../../../src/protocol/store.ts';

export const GRACE = 10;
const SCOPE = 'openid offline_access';
const WRITES = new Set(['upsert', 'swap', 'insertIfAbsent', 'consume', 'destroy', 'revokeGrant', 'revokeByAccount']);

/** Which write of a round fails, and whether it was done all the same. */
export interface Crash {
  write: number;
  done: boolean;
}

/** Decides when a step may be taken. */
export type Turn = <T>(step: () => Promise<T>) => Promise<T>;

export interface Answer {
  status: number;
  error: string | undefined;
  refresh_token: string | undefined;
  access_token: string | undefined;
}

export type Mutate = (parts: { provider: Provider; records: SealedRecords }) => void;

export interface Family {
  accountId: string;
  /** The first token of its chain. */
  first: string;
  present(token: string, instance: number): Promise<Answer>;
  revoke(token: string, instance: number): Promise<void>;
  suspend(instance: number): Promise<void>;
  isAlive(accessToken: string, instance: number): Promise<boolean>;
  /** The place of the newest token that the store knows of; undefined where the family has ended. */
  newest(): Promise<number | undefined>;
  /** How often somebody was told that it was ended by reuse. */
  told(): number;
}

export interface World {
  family(): Promise<Family>;
  /** From now on steps are taken when `turn` says so, and these writes fail. */
  begin(turn: Turn, crashes?: Crash[]): void;
  close(): Promise<void>;
}

const atOnce: Turn = (step) => step();

/** @param options a program that is wrong on purpose: `mutate` changes its parts, `grace` its window in seconds. */
export async function createWorld(
  url: string,
  { mutate = () => undefined, grace = GRACE }: { mutate?: Mutate; grace?: number } = {},
): Promise<World> {
  const suspended = new Set<string>();
  const told: string[] = [];
  const config = loadConfig({
    NODE_ENV: 'test',
    GATEHOUSE_ISSUER: 'http://localhost',
    GATEHOUSE_DATA_DIR: tmpdir(),
    GATEHOUSE_STORAGE_URL: url,
    GATEHOUSE_SECRETS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_SECRETS_COOKIE_KEYS: 'a cookie key for these tests',
    GATEHOUSE_LIFETIMES_REFRESH_TOKEN_GRACE: String(grace),
  });
  let turn = atOnce;
  let crashes: Crash[] = [];
  let writes = 0;

  /** Takes one step when it is its turn; a write may fail. */
  const step = <T>(isWrite: boolean, take: () => Promise<T>): Promise<T> =>
    turn(async () => {
      const number = isWrite ? (writes += 1) : 0;
      const crash = isWrite ? crashes.find(({ write }) => write === number) : undefined;
      if (crash && !crash.done) throw unavailable('stopped before it was done');
      const result = await take();
      if (crash) throw unavailable('stopped after it was done');
      return result;
    });

  const inSteps = (store: ProtocolStore): ProtocolStore =>
    Object.fromEntries(
      Object.entries(store).map(([name, method]) => [
        name,
        (...given: unknown[]) =>
          step(WRITES.has(name), () => (method as (...args: unknown[]) => Promise<unknown>)(...given)),
      ]),
    ) as unknown as ProtocolStore;

  const accounts = {
    find: async (id: string) => ({ id, state: suspended.has(id) ? 'suspended' : 'active', claims: {}, roles: [] }),
  };

  const registrar = await assembleBackstage(config, createLogger('silent'));
  const { client } = await registrar.clients.register({
    type: 'spa',
    name: 'Tabs',
    redirect_uris: ['https://app.example/callback'],
  });
  await registrar.close();

  async function instance() {
    const backstage = await assembleBackstage(config, createLogger('silent'));
    const { storage, vaultFor, keys, clients } = backstage;
    const records = createSealedRecords({ store: inSteps(storage.protocol), vault: vaultFor('records') });
    const needs = {
      ...backstage,
      ...assembleProtocol(config),
      config,
      records,
      restarts: createRestarts(records),
      accounts,
      liveKeys: await keys.live(),
      keySetFetches: keys.fetches,
      directory: createClientDirectory({ clients, grants: GRANT_TYPES, ...clientSecrets(vaultFor('clients')) }),
      clientAddress: () => '127.0.0.1',
      caller: () => undefined,
      onToken: () => undefined,
      onReuse: ({ accountId }: { accountId: string }) => step(true, async () => void told.push(accountId)),
    };
    const { provider } = createProvider(needs as unknown as ProviderNeeds);
    handleFailures({
      provider,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
    mutate({ provider, records });
    const handle = provider.callback();
    return {
      close: backstage.close,
      records,
      provider,
      async post(path: string, fields: Record<string, string>) {
        const payload = new URLSearchParams({ client_id: client.id, ...fields }).toString();
        const headers = { 'content-type': 'application/x-www-form-urlencoded', host: 'localhost' };
        const answer = await inject((req, res) => void handle(req, res), {
          method: 'POST',
          url: path,
          headers,
          payload,
        });
        const body = answer.payload === '' ? {} : (JSON.parse(answer.payload) as Record<string, unknown>);
        return { status: answer.statusCode, body };
      },
    };
  }

  const instances = [await instance(), await instance()];
  const by = (index: number) => instances[index % instances.length]!;

  /** A look at the store that takes no turn. */
  async function aside<T>(look: () => Promise<T>): Promise<T> {
    const [before, planned] = [turn, crashes];
    [turn, crashes] = [atOnce, []];
    try {
      return await look();
    } finally {
      [turn, crashes] = [before, planned];
    }
  }

  return {
    begin(next, planned = []) {
      turn = next;
      crashes = planned;
      writes = 0;
    },
    async close() {
      for (const { close } of instances) await close();
    },
    family: () =>
      aside(async () => {
        const { provider, records } = by(0);
        const accountId = newId();
        const grant = new provider.Grant({ accountId, clientId: client.id });
        grant.addOIDCScope(SCOPE);
        const grantId = await grant.save();
        const app = (await provider.Client.find(client.id))!;
        const token = new provider.RefreshToken({
          client: app,
          accountId,
          grantId,
          scope: SCOPE,
          gty: 'authorization_code',
          rotations: 0,
        });
        const first = await token.save();
        return {
          accountId,
          first,
          async present(value, index) {
            const fields = { grant_type: 'refresh_token', refresh_token: value };
            const { status, body } = await by(index).post('/token', fields);
            const text = (name: string) => body[name] as string | undefined;
            return {
              status,
              error: text('error'),
              refresh_token: text('refresh_token'),
              access_token: text('access_token'),
            };
          },
          revoke: async (value, index) => void (await by(index).post('/token/revocation', { token: value })),
          async suspend(index) {
            suspended.add(accountId);
            await by(index)
              .records.revokeByAccount(accountId)
              .catch(() => undefined);
          },
          isAlive: (value, index) =>
            aside(async () => (await by(index).post('/token/introspection', { token: value })).body['active'] === true),
          newest: () =>
            aside(async () => {
              const chain = await records.find('RefreshToken', first.split('~')[0]!);
              return chain?.['jti'] === undefined ? undefined : numberOf(chain['jti'] as string);
            }),
          told: () => told.filter((id) => id === accountId).length,
        };
      }),
  };
}

export const numberOf = (token: string): number => Number(token.split('~')[1]);
