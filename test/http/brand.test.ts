import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { startGatehouse } from '../support/gatehouse.ts';

it('a brand changes name, mark and colours of every page', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-brand-'));
  const logo = path.join(folder, 'logo.png');
  writeFileSync(logo, 'a picture');
  const gatehouse = await startGatehouse({
    GATEHOUSE_BRAND_NAME: 'Acme ID',
    GATEHOUSE_BRAND_LOGO: logo,
    GATEHOUSE_BRAND_ACCENT: '#aa0000',
    GATEHOUSE_BRAND_ACCENT_DARK: '#ffaaaa',
    GATEHOUSE_BRAND_PRIVACY_URL: 'https://acme.example/privacy',
  });
  const get = async (name: string) => (await fetch(gatehouse.issuer + name)).text();
  const page = await get('/');
  expect(page).toContain('Acme ID');
  expect(page).toContain('/assets/brand-logo');
  expect(page).toContain('https://acme.example/privacy');
  expect(await get('/assets/brand-logo')).toBe('a picture');
  const css = await get('/assets/brand.css');
  expect(css).toContain('#aa0000');
  expect(css).toContain('#ffaaaa');
  await gatehouse.stop();
  rmSync(folder, { recursive: true });
});
