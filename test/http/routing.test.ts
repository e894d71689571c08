/** Routers that are passed in one step by what is not theirs. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routesOf } from '../../src/http/routing.ts';

const asked: string[] = [];
const fixed = new Router();
fixed.use((ctx, next) => {
  asked.push(ctx.path);
  return next();
});
fixed.get('/', (ctx) => void (ctx.body = 'top'));
fixed.get(['/things/:name', '/others'], (ctx) => void (ctx.body = `thing ${String(ctx.params['name'])}`));
const open = new Router();
open.get('/:name/open', (ctx) => void (ctx.body = `open ${String(ctx.params['name'])}`));

const app = new Koa();
app.use(routesOf(fixed)).use(routesOf(open));
app.use((ctx) => void (ctx.body = 'past'));
const server = createServer(app.callback());
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

const get = async (path: string, method = 'GET') =>
  (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { method })).text();

describe('a router', () => {
  it('answers what is its own, however it is written', async () => {
    expect(await get('/')).toBe('top');
    expect(await get('/things/one')).toBe('thing one');
    expect(await get('/Things/one/?a=b')).toBe('thing one');
    expect(await get('/others')).toBe('thing undefined');
    expect(asked).toEqual(['/', '/things/one', '/Things/one/', '/others']);
  });

  it('passes what is not', async () => {
    for (const path of ['/things', '/thing/one', '/things/one/more', '/elsewhere', '//things/one'])
      expect(await get(path)).toBe('past');
    expect(await get('/things/one', 'POST')).toBe('past');
  });

  it('is asked about everything where its paths begin with a parameter', async () => {
    expect(await get('/any/open')).toBe('open any');
    expect(await get('/things/open')).toBe('thing open');
  });
});
