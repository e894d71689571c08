import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import { chromiumPath, launch, screenshot, violations } from '../support/chromium.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

describe.skipIf(!chromiumPath)('the console in Chromium', () => {
  let gatehouse: Running;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  async function signIn(javaScriptEnabled: boolean): Promise<Page> {
    const opened = await (
      await browser.newContext({ viewport: { width: 1100, height: 900 }, javaScriptEnabled })
    ).newPage();
    const admin = await gatehouse.person({ name: 'Grace Hopper', roles: ['admin'] });
    await opened.goto(`${gatehouse.issuer}/admin`);
    await opened.getByLabel('E-mail').fill(admin.email);
    await opened.getByLabel('Password').fill(admin.password);
    await opened.getByLabel('Password').press('Enter');
    await opened.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    return opened;
  }

  beforeAll(async () => {
    gatehouse = await startGatehouse();
    await gatehouse.app({ name: 'Travel Desk', redirect_uris: ['https://travel.example/cb'] });
    await gatehouse.app({ name: 'Payroll', redirect_uris: ['https://payroll.example/cb'] });
    for (let index = 0; index < 40; index += 1) await gatehouse.groups.create(OPERATOR, { name: `team-${index}` });
    browser = await launch();
    page = await signIn(true);
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
  });
  afterAll(async () => {
    await browser?.close();
    await gatehouse?.stop();
  });

  const names = (on: Page) => on.locator('#results .gh-row__name a').allTextContents();

  it('finds apps while somebody types, without another page', async () => {
    await page.goto(`${gatehouse.issuer}/admin/apps`);
    expect(await names(page)).toEqual(expect.arrayContaining(['Travel Desk', 'Payroll']));
    await page.getByRole('searchbox').pressSequentially('trav');
    await page.getByRole('link', { name: 'Payroll' }).waitFor({ state: 'detached' });
    expect(await names(page)).toEqual(['Travel Desk']);
    expect(await page.getByRole('searchbox').inputValue()).toBe('trav');
    await page.getByRole('searchbox').fill('nothing like it');
    await page.getByText('Nothing found').waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('says at the field what is wrong with it while it is typed, and takes it back', async () => {
    await page.goto(`${gatehouse.issuer}/admin/apps/new/web`);
    const field = page.locator('#redirect_uris');
    await field.fill('https://app.example/*');
    await page.locator('#redirect_uris-check').getByText('wildcard').waitFor();
    expect(await field.getAttribute('aria-describedby')).toContain('redirect_uris-check');
    await page.locator('#name').fill('Travei Desk');
    await page.locator('#name-check').getByText('Travel Desk').waitFor();
    expect(await violations(page)).toEqual([]);
    await screenshot(page, 'console-form-checked');
    await field.fill('https://app.example/cb');
    await page.locator('#redirect_uris-check').getByText('wildcard').waitFor({ state: 'detached' });
    expect(await page.locator('#name').inputValue()).toBe('Travei Desk');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByRole('heading', { name: 'Secret of Travei Desk' }).waitFor();
  });

  it('adds what is chosen of many as it is typed, and saves it', async () => {
    const { sub } = await gatehouse.person({ name: 'Katherine Johnson', groups: ['team-2'] });
    await page.goto(`${gatehouse.issuer}/admin/people/${sub}/roles`);
    const field = page.locator('#groups-add');
    await field.fill('team-7 team-2');
    await field.press('Enter');
    await page.getByRole('checkbox', { name: 'team-7' }).waitFor();
    expect([await field.inputValue(), await page.getByRole('checkbox', { name: /^team-/ }).count()]).toEqual(['', 2]);
    await page.getByRole('checkbox', { name: 'team-2' }).uncheck();
    await field.fill('team-39');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Katherine Johnson was saved.').waitFor();
    expect((await gatehouse.accounts.get(sub)).groups).toEqual(['team-7', 'team-39']);
  });

  it('gave the browser nothing to complain of', () => {
    expect(complaints).toEqual([]);
  });

  it('does the same without scripts, page by page', async () => {
    const plain = await signIn(false);
    await plain.goto(`${gatehouse.issuer}/admin/apps`);
    await plain.getByRole('searchbox').fill('payr');
    await plain.getByRole('searchbox').press('Enter');
    await plain.waitForURL(/search=payr/);
    expect(await names(plain)).toEqual(['Payroll']);
    await plain.goto(`${gatehouse.issuer}/admin/apps/new/web`);
    await plain.locator('#name').fill('Plain');
    await plain.locator('#redirect_uris').fill('https://app.example/#x');
    await plain.getByRole('button', { name: 'Register' }).click();
    await plain.locator('#redirect_uris-error').getByText('fragment').waitFor();
    await plain.locator('#redirect_uris').fill('https://plain.example/cb');
    await plain.getByRole('button', { name: 'Register' }).click();
    await plain.getByRole('heading', { name: 'Secret of Plain' }).waitFor();
  });

  it('takes a file of people over after a look at it, and gives them out, without scripts', async () => {
    const plain = await signIn(false);
    await plain.goto(`${gatehouse.issuer}/admin/people`);
    await plain.getByRole('link', { name: 'Import and export' }).click();
    const content = '{"email":"filed@example.com","name":"Filed Person"}\n{"email":"nobody"}\n';
    const file = { name: 'people.jsonl', mimeType: 'application/x-ndjson', buffer: Buffer.from(content) };
    await plain.getByLabel('File', { exact: true }).setInputFiles(file);
    await plain.getByRole('button', { name: 'Read the file' }).click();
    await plain.getByRole('heading', { name: 'Check of people.jsonl' }).waitFor();
    expect(await plain.getByRole('cell').allTextContents()).toEqual(['2', 'email is not an e-mail address']);
    await plain.getByRole('link', { name: 'Import it now' }).click();
    await plain.getByLabel('File', { exact: true }).setInputFiles(file);
    await plain.getByRole('button', { name: 'Read the file' }).click();
    await plain.getByRole('heading', { name: 'Import of people.jsonl' }).waitFor();
    const bad = plain.waitForEvent('download');
    await plain.getByRole('link', { name: 'Download all bad rows' }).click();
    expect(readFileSync(await (await bad).path(), 'utf8')).toBe('line,reason\n2,email is not an e-mail address\n');

    await plain.goto(`${gatehouse.issuer}/admin/people/import`);
    const everybody = plain.waitForEvent('download');
    await plain.getByRole('button', { name: 'Export' }).click();
    const given = await everybody;
    expect(given.suggestedFilename()).toBe('people.csv');
    expect(readFileSync(await given.path(), 'utf8')).toContain('filed@example.com,false,Filed Person');
  });
});
