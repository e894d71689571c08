/** A process that is killed while its person answers an app (CIBA): the answer stands, or can still be given; it is never lost. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { allow, ask, CIBA_ON, cibaApp, openRequest } from '../support/ciba.ts';
import { sharedStore, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { freePort } from '../support/ports.ts';
import { openAccount, rows } from '../support/portal.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.js');
const DIES = path.resolve(import.meta.dirname, '../support/dies-at-write.ts');
const LONG = 240_000;

describe('a process that is killed while its person answers', () => {
  const store = sharedStore();
  let gatehouse: Running;
  let env: Record<string, string>;
  beforeAll(async () => {
    env = {
      ...CIBA_ON,
      GATEHOUSE_ISSUER: `http://localhost:${await freePort()}`,
      GATEHOUSE_STORAGE_URL: store.url,
      GATEHOUSE_LIMITS_ENABLED: 'false',
      GATEHOUSE_SECRETS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      GATEHOUSE_SECRETS_COOKIE_KEYS: randomBytes(24).toString('base64'),
    };
    gatehouse = await startGatehouse(env, '', Number(new URL(env['GATEHOUSE_ISSUER']!).port));
  });
  afterAll(async () => {
    await gatehouse.stop();
    await store.drop();
  });

  /** @returns whether the form was answered before the process that it was sent to killed itself. */
  async function answeredBy(write: number, send: (origin: string) => Promise<unknown>) {
    const port = await freePort();
    const child = spawn(process.execPath, ['--import', DIES, MAIN], {
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'test',
        GATEHOUSE_LOG_LEVEL: 'error',
        ...env,
        GATEHOUSE_PORT: String(port),
        DIES_AT_PATH: '/approve',
        DIES_AT_WRITE: String(write),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    const answered = await send(`http://localhost:${port}`).then(
      () => true,
      () => false,
    );
    child.kill('SIGKILL');
    await ended;
    return answered;
  }

  it('has answered, or leaves it to them, whatever it had written when it died', { timeout: LONG }, async () => {
    const app = await cibaApp(gatehouse);
    const person = await gatehouse.person();
    const browser = new Browser(gatehouse.issuer);
    await openAccount(browser, person);
    const seen = new Set<string>();
    for (let write = 1, done = false; !done; write += 2) {
      const asked = await ask(gatehouse, app, person);
      const page = await openRequest(browser, person);
      const form = page.html.querySelector('form[action$="/approve"]')!;
      const body = new URLSearchParams(
        form
          .querySelectorAll('input')
          .map((input) => [input.getAttribute('name')!, input.getAttribute('value') ?? ''] as [string, string]),
      );
      const target = new URL(form.getAttribute('action')!, gatehouse.issuer).pathname;
      const headers = {
        ...browser.headers,
        cookie: await browser.jar.getCookieString(gatehouse.issuer),
        origin: gatehouse.issuer,
        'sec-fetch-site': 'same-origin',
      };
      done = await answeredBy(write, (origin) =>
        fetch(origin + target, { method: 'POST', body, headers, redirect: 'manual' }),
      );
      const isLeft = rows(await openAccount(browser, person, '/requests')).length > 0;
      seen.add(done ? 'answered to the end' : isLeft ? 'left to them' : 'answered');
      if (isLeft) await allow(browser, await openRequest(browser, person));
      expect([write, (await asked.poll()).claims()?.sub]).toEqual([write, person.sub]);
      expect(write).toBeLessThan(30);
    }
    expect(seen).toEqual(new Set(['left to them', 'answered', 'answered to the end']));
  });
});
