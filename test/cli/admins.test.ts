/** The commands about admins, on a store of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { operatorNow } from '../../src/cli/operator.ts';
import { runInside } from '../support/command-line.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-admins-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** @returns what a program reads of it. @throws with its exit code, unless that is 0. */
async function gatehouse(...args: string[]): Promise<unknown> {
  const { code, stdout } = await runInside([...args, '--json'], {
    GATEHOUSE_DATA_DIR: folder,
    GATEHOUSE_STORAGE_URL: `sqlite:${path.join(folder, 'gatehouse.db')}`,
    GATEHOUSE_LOG_LEVEL: 'error',
  });
  if (code !== 0) throw Object.assign(new Error(`${args.join(' ')} ended with ${code}`), { code });
  return JSON.parse(stdout);
}

describe('admins', () => {
  it('are made, listed, unmade, and get a link', async () => {
    await gatehouse('user', 'create', '--email', 'bob@example.com', '--name', 'Bob');
    expect(await gatehouse('admin', 'create', '--email', 'ada@example.com', '--name', 'Ada')).toMatchObject({
      roles: ['admin'],
      email_verified: true,
    });
    await gatehouse('admin', 'grant', 'bob@example.com');
    expect(await gatehouse('admin', 'list')).toHaveLength(2);
    await gatehouse('admin', 'revoke', 'ada@example.com');
    expect(await gatehouse('admin', 'list')).toMatchObject([{ email: 'bob@example.com' }]);
    expect(await gatehouse('user', 'list', '--search', 'ada')).toMatchObject([{ email: 'ada@example.com' }]);
    const { url } = (await gatehouse('admin', 'link')) as { url: string };
    expect(url).toMatch(/\/admin\/first\?link=[\w-]{43}$/);
  });
});

describe('the record', () => {
  it('is listed, exported and found whole', async () => {
    const listed = (await gatehouse('audit', 'list', '--target', 'bob@example.com')) as { type: string }[];
    expect(listed.map(({ type }) => type)).toEqual(['account_changed', 'account_created']);
    expect(listed[0]).toMatchObject({ actor: { kind: 'operator', id: operatorNow().name } });
    expect(await gatehouse('audit', 'verify')).toMatchObject({ ok: true, problems: [] });
    const { seq, mac } = ((await gatehouse('audit', 'verify')) as { last: { seq: number; mac: string } }).last;
    expect(await gatehouse('audit', 'verify', '--head', `${seq}:${mac}`)).toMatchObject({ ok: true });
    await expect(gatehouse('audit', 'verify', '--head', `${seq + 1}:${mac}`)).rejects.toMatchObject({ code: 1 });
    await expect(gatehouse('audit', 'verify', '--head', 'nonsense')).rejects.toMatchObject({ code: 2 });
  });
});

describe('people', () => {
  it('are changed, invited by a link, listed with their sessions, and signed out', async () => {
    const changed = await gatehouse(
      ...['user', 'update', 'bob@example.com', '--name', 'Bob King', '--email-verified'],
      ...['--claim', 'locale=en-GB', '--claim', 'nickname=Bobby'],
    );
    expect(changed).toMatchObject({ name: 'Bob King', email_verified: true, claims: { locale: 'en-GB' } });
    expect(await gatehouse('user', 'update', 'bob@example.com', '--claim', 'nickname=')).toMatchObject({
      claims: { locale: 'en-GB' },
    });
    await expect(gatehouse('user', 'update', 'bob@example.com')).rejects.toMatchObject({ code: 1 });
    await expect(gatehouse('user', 'update', 'bob@example.com', '--claim', 'admin=yes')).rejects.toMatchObject({
      code: 1,
    });
    const where = ['--claim', 'address=1 Example Street', '--claim', 'phone_number_verified=true'];
    expect(await gatehouse('user', 'update', 'bob@example.com', ...where)).toMatchObject({
      claims: { address: { formatted: '1 Example Street' }, phone_number_verified: true },
    });
    await expect(
      gatehouse('user', 'update', 'bob@example.com', '--claim', 'phone_number_verified=perhaps'),
    ).rejects.toMatchObject({ code: 1 });
    const invited = (await gatehouse('user', 'invite', 'guest@example.com', '--link', '--role', 'editor')) as {
      id: string;
      url: string;
    };
    expect(invited.url).toContain('/mailed/invitation?token=');
    await expect(gatehouse('user', 'invite', 'other@example.com')).rejects.toMatchObject({ code: 1 });
    expect(await gatehouse('invitation', 'list')).toMatchObject([{ email: 'guest@example.com', roles: ['editor'] }]);
    expect(await gatehouse('invitation', 'resend', invited.id, '--link')).toMatchObject({ mailed: false });
    expect(await gatehouse('invitation', 'revoke', invited.id)).toMatchObject({ revoked: true });
    expect(await gatehouse('session', 'list')).toEqual([]);
    expect(await gatehouse('session', 'end', 'bob@example.com', '--all')).toMatchObject({ ended: 0 });
    await expect(gatehouse('session', 'end', 'bob@example.com')).rejects.toMatchObject({ code: 1 });
  });
});
