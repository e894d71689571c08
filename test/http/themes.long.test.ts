import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eject } from '../../src/http/theme-check.ts';
import { templateNames } from '../../src/http/themes.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, heading } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');

describe('a theme', () => {
  let themes: string;
  let running: Running[] = [];
  beforeEach(() => {
    themes = mkdtempSync(path.join(tmpdir(), 'gatehouse-themes-'));
  });
  afterEach(async () => {
    await Promise.all(running.map((one) => one.stop()));
    running = [];
    rmSync(themes, { recursive: true });
  });

  function write(file: string, text: string): void {
    const full = path.join(themes, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, text);
  }
  async function start(env: Record<string, string> = { GATEHOUSE_BRAND_THEME: 'acme' }): Promise<Running> {
    const gatehouse = await startGatehouse({ GATEHOUSE_THEMES_DIR: themes, ...env });
    running.push(gatehouse);
    return gatehouse;
  }
  const signInPage = async (gatehouse: Running, client: Parameters<Running['app']>[0] = {}) =>
    begin(await relyingParty(gatehouse, await gatehouse.app(client)), new Browser(gatehouse.issuer));
  const problems = ({ logged }: Running) =>
    logged
      .filter(({ msg }) => String(msg).startsWith('a theme has a problem'))
      .map(({ file, line, msg }) => `${path.relative(themes, String(file))}:${String(line)} ${String(msg)}`);

  it('changes the style, the mark, texts and a template of every page', async () => {
    write('acme/theme.css', ':root { --gh-accent: #aa0000; }');
    write('acme/logo.png', 'a picture');
    write('acme/assets/ground.webp', 'a ground');
    write('acme/locales/en.json', '{ "sign_in": { "submit": "Let me in" } }');
    write('acme/views/partials/csrf.ejs', `<!-- ours -->\n${eject('partials/csrf')}`);
    const gatehouse = await start();
    const page = await signInPage(gatehouse);
    expect(page.text).toContain('/assets/themes/acme/theme.css');
    expect(page.text).toContain('/assets/themes/acme/logo');
    expect(page.text).toContain('Let me in');
    expect(page.text).toContain('<!-- ours -->');
    const asset = async (name: string) => fetch(`${gatehouse.issuer}/assets/themes/acme/${name}`);
    expect(await (await asset('theme.css')).text()).toContain('#aa0000');
    expect(await (await asset('logo')).text()).toBe('a picture');
    expect(await (await asset('assets/ground.webp')).text()).toBe('a ground');
    expect(problems(gatehouse)).toEqual([]);
  });

  it('gives away no file but style sheets, pictures and fonts', async () => {
    write('acme/assets/code.js', 'alert(1)');
    write('acme/views/partials/csrf.ejs', eject('partials/csrf'));
    write('secret.txt', 'secret');
    const { issuer } = await start();
    const paths = [
      'assets/code.js',
      'views/partials/csrf.ejs',
      'assets/../../secret.txt',
      'assets/%2e%2e/%2e%2e/secret.txt',
    ];
    const answers = await Promise.all(
      paths.map(async (name) => (await fetch(`${issuer}/assets/themes/acme/${name}`)).status),
    );
    expect(answers.every((status) => status >= 400 && status < 500)).toBe(true);
  });

  it('may belong to one app alone', async () => {
    write('notes/locales/en.json', '{ "sign_in": { "heading": "Notes for {{client}}" } }');
    const gatehouse = await start({});
    expect(heading(await signInPage(gatehouse, { theme: 'notes' }))).toBe('Notes for Acme Notes');
    expect(heading(await signInPage(gatehouse))).toBe('Sign in to Acme Notes');
    await expect(gatehouse.app({ theme: 'nots' })).rejects.toThrow('no theme is called nots; there are notes');
  });

  it('of an app is on all pages that are about it, to the last', async () => {
    write('notes/theme.css', ':root { --gh-accent: #000; }');
    const gatehouse = await start({});
    const person = await gatehouse.person();
    const rp = await relyingParty(gatehouse, await gatehouse.app({ theme: 'notes' }));
    const browser = new Browser(gatehouse.issuer);
    const themed = (page: Page) => page.text.includes('themes/notes/theme.css');
    const tokens = await rp.signIn(person, {}, browser);
    expect(themed(await browser.open(`/session/end?id_token_hint=${tokens.id_token!}`))).toBe(true);
    await gatehouse.access.leave(person.sub, new Date(Date.now() + 86_400_000).toISOString());
    const elsewhere = new Browser(gatehouse.issuer);
    const signIn = await elsewhere.open((await rp.request()).url);
    const leaving = await elsewhere.submit(signIn, { email: person.email, password: person.password });
    expect([heading(leaving), themed(leaving)]).toEqual(['Keep your account?', true]);
    elsewhere.jar.removeAllCookiesSync();
    expect(themed(await elsewhere.open(leaving.url))).toBe(true);
  });

  it('changes one language and leaves the others', async () => {
    write('acme/locales/en.json', '{ "sign_in": { "submit": "Let me in" } }');
    const gatehouse = await start();
    expect((await signInPage(gatehouse)).text).toContain('>Create an account<');
  });

  it('that is not there is named at start', async () => {
    await expect(start({ GATEHOUSE_BRAND_THEME: 'acne' })).rejects.toThrow('there is no theme acne');
  });

  it.each([
    ['does not close', 'interaction/sign-in', '<p>\n<% if (page.error) { %>\n<%= t( %>\n<% } %>', 3, 'Unexpected'],
    ['overrides nothing', 'interaction/signin', 'x', 1, 'the nearest template is interaction/sign-in'],
    [
      'includes what is not there',
      'interaction/sign-in',
      "\n<%- include('../partials/feld') %>",
      2,
      'includes ../partials/feld',
    ],
    [
      'uses a text that is not there',
      'interaction/sign-in',
      "\n\n<%= t('sign_in.submitt') %>",
      3,
      'is it sign_in.submit?',
    ],
    ['uses what the page is not given', 'interaction/sign-in', '<%= page.user_name %>', 1, 'page.user_name'],
  ])(
    'whose template %s is named by file and line, and the page is drawn without it',
    async (_why, name, text, line, said) => {
      write(`acme/views/${name}.ejs`, text);
      const gatehouse = await start();
      expect(problems(gatehouse)).toEqual([
        expect.stringMatching(`^acme/views/${name}.ejs:${line} .*${said.replace('?', '\\?')}`),
      ]);
      expect(heading(await signInPage(gatehouse))).toBe('Sign in to Acme Notes');
    },
  );

  it('whose template was made from an older one is named, and used', async () => {
    write(
      'acme/views/interaction/sign-in.ejs',
      eject('interaction/sign-in').replace(/[0-9a-f]{12} -%>\n/, '0123456789ab -%>\n<!-- ours -->'),
    );
    const gatehouse = await start();
    expect(problems(gatehouse)).toEqual([
      expect.stringContaining('interaction/sign-in.ejs:1 a theme has a problem: is outdated'),
    ]);
    expect((await signInPage(gatehouse)).text).toContain('<!-- ours -->');
  });

  it.each([
    ['of an unknown key', '{\n "sign_in": {\n  "sumbit": "x" } }', 3, 'is it sign_in.submit?'],
    ['with a value there is not', '{ "sign_in": {\n "submit": "Hello {{name}}" } }', 2, 'has no {{name}}'],
    ['that is no JSON', '{\n "sign_in": ', 2, 'is not JSON'],
  ])('with a text %s is named by file and line', async (_why, text, line, said) => {
    write('acme/locales/en.json', text);
    const gatehouse = await start();
    const [problem, ...more] = problems(gatehouse);
    expect(more).toEqual([]);
    expect(problem).toContain(`acme/locales/en.json:${line} `);
    expect(problem).toContain(said);
    expect((await signInPage(gatehouse)).text).toContain('>Sign in<');
  });

  it('may override every template there is with a copy of it', async () => {
    for (const name of templateNames()) write(`acme/views/${name}.ejs`, eject(name));
    expect(problems(await start())).toEqual([]);
  });

  describe('on the command line', () => {
    const gatehouse = (...args: string[]) =>
      run(process.execPath, ['src/cli/main.js', ...args], {
        cwd: ROOT,
        env: {
          ...process.env,
          NODE_ENV: 'test',
          GATEHOUSE_THEMES_DIR: themes,
          GATEHOUSE_DATA_DIR: path.join(themes, 'data'),
        },
      });
    afterAll(() => undefined);

    it('begins with a copy of a template', async () => {
      await gatehouse('theme', 'eject', 'interaction/consent', '--theme', 'acme');
      expect((await gatehouse('theme', 'check')).stdout).toContain('acme');
      await expect(gatehouse('theme', 'eject', 'interaction/consent', '--theme', 'acme')).rejects.toThrow(
        'is there already',
      );
    });

    it('is checked', async () => {
      write('acme/views/interaction/consent.ejs', '\n<%= t("no.such") %>');
      await expect(gatehouse('theme', 'check')).rejects.toThrow(/consent\.ejs:2 uses the text no\.such/);
    });
  });
});
