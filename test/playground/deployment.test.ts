/** The playground where its public address cannot be reached from inside: requests are handed to the program directly. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'node-html-parser';
import { CookieJar } from 'tough-cookie';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inProcessFetch } from '../../src/http/in-process.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

const ISSUER = 'https://id.example.test/auth';

describe('the playground behind a proxy', () => {
  let folder: string;
  let jar: CookieJar;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-playground-'));
    jar = new CookieJar();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const start = () =>
    startGatehouse({
      GATEHOUSE_PLAYGROUND_ENABLED: 'true',
      GATEHOUSE_ISSUER: ISSUER,
      GATEHOUSE_DATA_DIR: folder,
      GATEHOUSE_STORAGE_URL: `sqlite:${folder}/gatehouse.db`,
    });

  async function send(gatehouse: Running, url: string, form?: Record<string, string>) {
    const headers = { accept: 'text/html', cookie: await jar.getCookieString(url) };
    const answer = await inProcessFetch({ issuer: ISSUER, handle: () => gatehouse.handle })(url, {
      method: form ? 'POST' : 'GET',
      headers: form ? { ...headers, 'content-type': 'application/x-www-form-urlencoded' } : headers,
      ...(form ? { body: new URLSearchParams(form) } : {}),
    });
    for (const line of answer.headers.getSetCookie()) await jar.setCookie(line, url);
    const html = parse(await answer.text(), { blockTextElements: {} });
    return { status: answer.status, location: answer.headers.get('location'), html };
  }

  const requestOn = async (gatehouse: Running) =>
    (await send(gatehouse, `${ISSUER}/playground`)).html.querySelector('#request-url')?.text;

  it('discovers the provider in process, keeps to its path, and finds its session again after a restart', async () => {
    let gatehouse = await start();
    const form = (await send(gatehouse, `${ISSUER}/playground`)).html.querySelector('form[action$="/begin"]')!;
    const _csrf = form.querySelector('[name=_csrf]')!.getAttribute('value')!;
    expect(form.getAttribute('action')).toBe('/auth/playground/begin');
    const begun = await send(gatehouse, `${ISSUER}/playground/begin`, { _csrf, scope: 'openid' });
    expect(begun).toMatchObject({ status: 303, location: '/auth/playground#step-2' });
    const request = await requestOn(gatehouse);
    expect(request).toContain(`${ISSUER}/auth?client_id=playground`);
    expect(request).toContain(encodeURIComponent(`${ISSUER}/playground/callback`));
    await gatehouse.stop();

    gatehouse = await start();
    expect(await requestOn(gatehouse)).toBe(request);
    await gatehouse.stop();
  });

  it('has a session cookie that only this host over https can set, and that JavaScript cannot read', async () => {
    const gatehouse = await start();
    const form = (await send(gatehouse, `${ISSUER}/playground`)).html;
    const _csrf = form.querySelector('[name=_csrf]')!.getAttribute('value')!;
    await send(gatehouse, `${ISSUER}/playground/begin`, { _csrf });
    const cookie = (await jar.getCookies(ISSUER)).find(({ key }) => key === '__Host-gatehouse_playground');
    expect(cookie).toMatchObject({ secure: true, httpOnly: true, path: '/', sameSite: 'lax' });
    await gatehouse.stop();
  });

  it('registers its client anew when the issuer has moved', async () => {
    const before = await start();
    await before.clients.delete('playground');
    await before.clients.register(
      { type: 'spa', name: 'Old', redirect_uris: ['https://old.example/cb'] },
      'playground',
    );
    await before.stop();
    const after = await start();
    expect((await after.clients.get('playground')).redirect_uris).toEqual([`${ISSUER}/playground/callback`]);
    await after.stop();
  });

  it('is not there unless it is turned on', async () => {
    const gatehouse = await startGatehouse();
    expect((await fetch(`${gatehouse.issuer}/playground`)).status).toBe(404);
    expect(await gatehouse.clients.find('playground')).toBeUndefined();
    await gatehouse.stop();
  });
});
