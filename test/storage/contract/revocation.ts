import { expect, test } from 'vitest';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import type { ProtocolRecord } from '../../../src/protocol/store.ts';
import { moveClock } from './clock.ts';
import type { Use } from './contract.ts';
import { aGrant, aRecord } from './samples.ts';

export function revocationContract(use: Use): void {
  const records = () => use().storage.protocol;

  /** A grant, as sign-in makes it, with a code, an access token and a refresh token. */
  async function issued(overrides: Partial<ProtocolRecord> = {}) {
    const grant = aGrant(overrides);
    const tokens = ['AuthorizationCode', 'AccessToken', 'RefreshToken'].map((kind) =>
      aRecord({ kind, grant_key: grant.key }),
    );
    for (const record of [grant, ...tokens]) await records().upsert(record);
    return { grant, tokens, all: [grant, ...tokens] };
  }

  async function aSession(overrides: Partial<ProtocolRecord>) {
    const session = aRecord({ kind: 'Session', ...overrides });
    await records().upsert(session);
    return session;
  }

  async function left(of: ProtocolRecord[]): Promise<string[]> {
    const found = await Promise.all(of.map(({ key }) => records().find(key)));
    return found.flatMap((record) => (record ? [record.kind] : []));
  }

  test('revoking a grant removes its codes and tokens and the grant, and nobody else’s', async () => {
    const [revoked, other] = [await issued(), await issued()];
    await records().revokeGrant(revoked.grant.key, { withGrant: true });
    expect(await left(revoked.all)).toEqual([]);
    expect(await left(other.all)).toHaveLength(4);
  });

  test('revoking what descends from a grant leaves the grant', async () => {
    const { grant, all } = await issued();
    await records().revokeGrant(grant.key, { withGrant: false });
    expect(await left(all)).toEqual(['Grant']);
  });

  test('tokens are revoked also when their grant is gone already', async () => {
    const { grant, all } = await issued();
    await records().destroy(grant.key, { durable: true });
    await records().revokeGrant(grant.key, { withGrant: true });
    expect(await left(all)).toEqual([]);
  });

  test('a revoked code cannot be consumed', async () => {
    const { grant, tokens } = await issued();
    await records().revokeGrant(grant.key, { withGrant: true });
    expect(await records().consume(tokens[0]!.key, epochSeconds())).toBe(false);
  });

  test('log-out ends the session, its grants and what they gave; a grant that outlives log-out stays', async () => {
    const session = await aSession({ uid_key: 'laptop' });
    const ending = [await issued({ session_key: 'laptop' }), await issued({ session_key: 'laptop' })];
    const staying = [await issued({ session_key: 'phone' }), await issued({ session_key: null })];
    await records().revokeBySession('laptop');
    expect(await left(ending.flatMap(({ all }) => all))).toEqual([]);
    expect(await left(staying.flatMap(({ all }) => all))).toHaveLength(8);
    expect(await left([session])).toEqual([]);
  });

  test('an account that is revoked loses its sessions on all devices, its grants and all they gave; others lose nothing', async () => {
    const sessions = [await aSession({ account_key: 'ada' }), await aSession({ account_key: 'ada' })];
    const grants = [await issued({ account_key: 'ada' }), await issued({ account_key: 'ada', session_key: null })];
    const others = [await issued({ account_key: 'bob' }), await issued({ account_key: null })];
    const otherSession = await aSession({ account_key: 'bob' });
    const anonymous = await aSession({ account_key: null });
    await records().revokeByAccount('ada');
    expect(await left([...sessions, ...grants.flatMap(({ all }) => all)])).toEqual([]);
    expect(await left([otherSession, anonymous, ...others.flatMap(({ all }) => all)])).toHaveLength(10);
  });

  test('an account that is revoked may keep one session, and loses all else', async () => {
    const kept = await aSession({ account_key: 'ada', uid_key: 'laptop' });
    const lost = [await aSession({ account_key: 'ada', uid_key: 'phone' }), await aSession({ account_key: 'ada' })];
    const grant = await issued({ account_key: 'ada', session_key: 'laptop' });
    await records().revokeByAccount('ada', { keepUid: 'laptop' });
    expect(await left([...lost, ...grant.all])).toEqual([]);
    expect(await left([kept])).toEqual(['Session']);
  });

  test('the sessions of an account are listed, without its grants and without those of others', async () => {
    const mine = await aSession({ account_key: 'ada' });
    await aSession({ account_key: 'ada', expires_at: epochSeconds() - 1 });
    await aSession({ account_key: 'bob' });
    await issued({ account_key: 'ada' });
    expect((await records().listByAccount('ada', 'Session')).map(({ key }) => key)).toEqual([mine.key]);
  });

  test('tokens that outlive their expired grant are revoked with it', async () => {
    const { tokens } = await issued({ account_key: 'ada', expires_at: epochSeconds() + 60 });
    moveClock(61);
    await records().revokeByAccount('ada');
    expect(await left(tokens)).toEqual([]);
  });

  test('revoking what is not there is fine', async () => {
    const { all } = await issued();
    await records().revokeGrant('unknown', { withGrant: true });
    await records().revokeGrant('unknown', { withGrant: false });
    await records().revokeBySession('unknown');
    await records().revokeByAccount('unknown');
    expect(await left(all)).toHaveLength(4);
  });

  test('the grants of an account are listed, unexpired ones only', async () => {
    const mine = await issued({ account_key: 'ada' });
    await issued({ account_key: 'ada', expires_at: epochSeconds() - 1 });
    await issued({ account_key: 'grace' });
    await aSession({ account_key: 'ada' });
    expect((await records().listByAccount('ada', 'Grant')).map(({ key }) => key)).toEqual([mine.grant.key]);
  });
}
