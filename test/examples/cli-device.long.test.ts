import { mkdtemp, rm, stat } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../examples/cli-device/cli.ts';
import { Browser } from '../support/browser.ts';
import { connectAs, deviceApp } from '../support/device.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import type { Person } from '../support/journey.ts';

describe('the example in a terminal', () => {
  let gatehouse: Running;
  let person: Person;
  let folder: string;
  let env: Record<'ISSUER' | 'CLIENT_ID' | 'TOKENS', string>;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person({ name: 'Ada' });
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-cli-device-'));
    const { client_id } = await deviceApp(gatehouse);
    env = { ISSUER: gatehouse.issuer, CLIENT_ID: client_id, TOKENS: path.join(folder, 'tokens.json') };
  });
  afterAll(async () => {
    await gatehouse.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Calls it, does what it says in a browser, and gives what it said. */
  async function call(command = 'whoami'): Promise<string[]> {
    const said: string[] = [];
    const browsing: Promise<unknown>[] = [];
    const say = (line: string) => {
      said.push(line);
      const [, verification_uri, user_code] = /go to (\S+) and enter (\S+)/.exec(line) ?? [];
      if (!user_code) return;
      const code = { verification_uri, user_code };
      browsing.push(connectAs(new Browser(gatehouse.issuer), { code } as never, person));
    };
    await run(command, env, { say });
    await Promise.all(browsing);
    return said;
  }

  it('signs its person in by a code, and remembers them', async () => {
    const first = await call();
    expect(first[0]).toMatch(/[█▀▄]/);
    expect(first.at(-1)).toBe(`Signed in as Ada <${person.email}>`);
    expect((await stat(env.TOKENS)).mode & 0o777).toBe(0o600);
    expect(await call()).toEqual([`Signed in as Ada <${person.email}>`]);
  });

  it('asks again when its access was ended', async () => {
    await gatehouse.access.withdrawConsent(person.sub, env.CLIENT_ID);
    const said = await call();
    expect(said[0]).toBe('The last sign-in is over.');
    expect(said.at(-1)).toContain('Signed in as Ada');
  });

  it('hands its token back', async () => {
    const { refresh_token } = JSON.parse(readFileSync(env.TOKENS, 'utf8')) as { refresh_token: string };
    expect(await call('logout')).toEqual(['Signed out.']);
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token, client_id: env.CLIENT_ID });
    expect((await fetch(`${gatehouse.issuer}/token`, { method: 'POST', body })).status).toBe(400);
  });

  it('fits on a few screens', () => {
    const source = readFileSync(path.resolve(import.meta.dirname, '../../examples/cli-device/cli.ts'), 'utf8');
    expect(source.split('\n').length).toBeLessThan(120);
  });
});
