/** Templates as a theme may write them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createDraw } from '../../src/http/views.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-views-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** @param text of the theme's own `partials/csrf`. @returns what that template gives. */
function draw(text: string, locals: object): Promise<string> {
  const file = path.join(folder, 'csrf.ejs');
  writeFileSync(file, text);
  const overrideOf = (_theme: string, view: string) => (view === 'partials/csrf' ? file : undefined);
  return createDraw({ cache: true, overrideOf })('partials/csrf', locals, 'harbour');
}

describe('a template', () => {
  it('names its locals, and asks for those that may be missing', async () => {
    expect(await draw('<%= name %> <%= locals.other ?? "none" %>', { name: 'A&B' })).toBe('A&amp;B none');
    expect(await draw('<%= name %> <%= locals.other ?? "none" %>', { name: 'A', other: 'B' })).toBe('A B');
  });

  it('may declare what has the name of a local', async () => {
    const locals = { name: 'Ada', page: { title: 'Hello' } };
    expect(await draw('<% const name = page.title %><%= name %>', locals)).toBe('Hello');
    expect(await draw('<% var name = page.title %><%= name %>', locals)).toBe('Hello');
    expect(await draw('<% for (const page of [1, 2]) { %><%= page %><% } %>', locals)).toBe('12');
  });

  it('includes others with more locals, which hold for these alone', async () => {
    const mark = { name: 'Acme', small: true, logo: null };
    const text = '<%- include("partials/mark", { mark }) %><%= locals.mark === undefined %>';
    const drawn = await draw(text.replace('{ mark }', `{ mark: ${JSON.stringify(mark)} }`), { lang: 'en', base: '' });
    expect(drawn).toContain('aria-hidden="true">A</span>');
    expect(drawn).toMatch(/true$/);
  });

  it('is drawn with one set of locals after another', async () => {
    const file = path.join(folder, 'again.ejs');
    writeFileSync(file, '<%= name %><%= locals.other %>');
    const again = createDraw({ cache: true, overrideOf: () => file });
    expect(await again('partials/csrf', { name: 'A' }, 'harbour')).toBe('A');
    expect(await again('partials/csrf', { name: 'B', other: 'C' }, 'harbour')).toBe('BC');
    expect(await again('partials/csrf', { name: 'D' }, 'harbour')).toBe('D');
  });

  it('that breaks says where', async () => {
    await expect(draw('one\n<%= nobody %>', { name: 'A' })).rejects.toThrow(/csrf\.ejs:2[\s\S]*nobody is not defined/);
    await expect(draw('one\n<% if ( %>', { name: 'A' })).rejects.toThrow(/while compiling ejs/);
  });

  it('gets nothing that every object has', async () => {
    expect(await draw('<%= locals.toString %><%= locals.constructor %>', { name: 'A' })).toBe('');
  });
});
