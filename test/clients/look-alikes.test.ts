import { describe, expect, it } from 'vitest';
import { crowdOf, lookAlikes } from '../../src/clients/look-alikes.ts';
import type { Looks } from '../../src/clients/look-alikes.ts';

const app = (name: string, ...redirect_uris: string[]): Looks => ({ type: 'web', name, redirect_uris });
const OTHERS = [app('Acme Notes', 'https://notes.acme.com/cb'), app('Payroll 1', 'https://payroll.example.co.uk/cb')];
const codes = (one: Looks, production = true) => lookAlikes(one, crowdOf(OTHERS), production).map(({ code }) => code);

describe('what could be taken for something else', () => {
  it.each<[string, Looks, string[]]>([
    ['nothing', app('Shop', 'https://shop.example/cb'), []],
    ['another page of the same site', app('Files', 'https://files.acme.com/cb'), []],
    ['the same name in other letters', app('Acme Nоtes', 'https://a.example/cb'), ['name_scripts', 'name_near']],
    ['a name one letter away', app('Acme Note', 'https://a.example/cb'), ['name_near']],
    ['a name that differs in a look-alike', app('Acrne Notes', 'https://a.example/cb'), ['name_near']],
    ['the next of a kind', app('Payroll 2', 'https://a.example/cb'), []],
    ['a site one letter away', app('Shop', 'https://notes.acne.com/cb'), ['host_near']],
    ['a site with a digit for a letter', app('Shop', 'https://payroll.examp1e.co.uk/cb'), ['host_near']],
    ['a name of other scripts', app('Shop', 'https://xn--pple-43d.example/cb'), ['host_scripts']],
    ['an international name', app('Shop', 'https://xn--mnchen-3ya.example/cb'), ['host_international']],
    ['a name that anybody gets', app('Shop', 'https://acme.github.io/cb'), ['host_shared']],
    ['this machine', app('Shop', 'http://localhost:3000/cb'), ['loopback']],
  ])('%s', (_what, one, expected) => expect(codes(one)).toEqual(expected));

  it('is not this machine while a program is made, nor for programs that people install', () => {
    expect(codes(app('Shop', 'http://localhost/cb'), false)).toEqual([]);
    expect(codes({ ...app('Shop', 'http://127.0.0.1/cb'), type: 'native' })).toEqual([]);
  });

  it('is said once for many addresses', () =>
    expect(codes(app('Shop', 'https://a.github.io/1', 'https://a.github.io/2'))).toEqual(['host_shared']));
});
