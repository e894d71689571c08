import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { startMailServer } from '../support/mail-server.ts';
import type { MailServer } from '../support/mail-server.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.js');
type Listed = { id: string; to: string; state: string; problem: string | null };

describe('the mail commands beside a server', () => {
  let folder: string;
  let server: MailServer;
  let gatehouse: Running;
  let env: Record<string, string>;
  let refusing = true;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-cli-mail-'));
    server = await startMailServer({
      recipient: (to) => (refusing && to.startsWith('gone') ? { code: 550, text: '5.1.1 no such mailbox' } : undefined),
    });
    env = {
      NODE_ENV: 'test',
      GATEHOUSE_DATA_DIR: folder,
      GATEHOUSE_STORAGE_URL: `sqlite:${path.join(folder, 'gatehouse.db')}`,
      GATEHOUSE_MAIL_SMTP_URL: server.url,
    };
    gatehouse = await startGatehouse(env);
  });
  afterAll(async () => {
    await gatehouse.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(args: string[], extra: Record<string, string> = {}) {
    const child = spawn(process.execPath, [MAIN, 'mail', ...args], {
      env: { PATH: process.env['PATH'], ...env, ...extra },
    });
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('close', resolve)),
    ]);
    return { stdout, stderr, code };
  }

  it('show what is stuck and why, without links or codes, and have it tried again', async () => {
    const data = { url: `${gatehouse.issuer}/x?token=t0ken`, code: '123456' };
    for (const to of ['gone-1@example.com', 'gone-2@example.com'])
      await gatehouse.mail.mailer.send({ to, template: 'verify-email', locale: 'en', data });
    await eventually(async () => expect((await gatehouse.mail.outbox.list('given_up', {})).items).toHaveLength(2));

    const list = await run(['list', '--json']);
    expect([list.code, list.stderr]).toEqual([0, '']);
    const listed = JSON.parse(list.stdout) as Listed[];
    expect(listed).toMatchObject([{ state: 'given_up' }, { state: 'given_up' }]);
    expect(listed.map(({ to }) => to).toSorted()).toEqual(['gone-1@example.com', 'gone-2@example.com']);
    expect(listed[0]!.problem).toContain('5.1.1 no such mailbox');
    expect(list.stdout).not.toMatch(/t0ken|123456/);

    refusing = false;
    expect((await run(['retry', listed[0]!.id])).code).toBe(0);
    await server.waitFor(listed[0]!.to);
    expect(JSON.parse((await run(['retry', 'all', '--json'])).stdout)).toEqual({ retried: 1 });
    await server.waitFor(listed[1]!.to);
    expect((await run(['list'])).stdout).toBe('none\n');
    expect(JSON.parse((await run(['list', '--state', 'sent', '--json'])).stdout)).toMatchObject([{ to: null }, {}]);

    const unknown = await run(['retry', 'nonsense']);
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('no mail nonsense');
  });

  it('send one mail and say what the server answered', async () => {
    const { stdout, code } = await run(['test', '--to', 'admin@example.com', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sent: true, answer: expect.stringMatching(/^250/) as string });
    expect((await server.waitFor('admin@example.com')).subject).toBe('A mail to try things out');

    refusing = true;
    const refused = await run(['test', '--to', 'gone@example.com']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('550 5.1.1 no such mailbox');

    const away = await run(['test', '--to', 'a@example.com'], {
      GATEHOUSE_MAIL_SMTP_URL: 'smtp://u:s3cret@127.0.0.1:1',
    });
    expect(away.code).toBe(1);
    expect(away.stderr).toContain('ECONNREFUSED');
    expect(away.stderr).not.toContain('s3cret');

    const none = await run(['test', '--to', 'a@example.com'], { GATEHOUSE_MAIL_SMTP_URL: '' });
    expect(none.stderr).toContain('no mail server is configured');
  });
});
