/** What of an app could be taken for something else. Nothing of it is forbidden: an admin is told, and decides. */
import { domainToUnicode } from 'node:url';
import { distance } from 'fastest-levenshtein';
import { isLoopback } from '../kernel/urls.ts';

export const WARNINGS = [
  'name_scripts',
  'name_near',
  'host_international',
  'host_scripts',
  'host_near',
  'host_shared',
  'loopback',
] as const;

export interface Warning {
  code: (typeof WARNINGS)[number];
  field: 'name' | 'redirect_uris';
  /** What it is about. */
  value: string;
  /** What it could be taken for. */
  other?: string;
}

export interface Looks {
  id?: string | undefined;
  type: string;
  name: string;
  redirect_uris: string[];
}

/** Below them anybody gets a name, and gets it again when its holder gives it up. */
const SHARED = [
  ...['github.io', 'gitlab.io', 'pages.dev', 'workers.dev', 'vercel.app', 'netlify.app', 'herokuapp.com', 'web.app'],
  ...['firebaseapp.com', 'appspot.com', 'run.app', 'azurewebsites.net', 'cloudapp.net', 'azurestaticapps.net'],
  ...[
    'amazonaws.com',
    'cloudfront.net',
    'elasticbeanstalk.com',
    'amplifyapp.com',
    'onrender.com',
    'fly.dev',
    'deno.dev',
  ],
  ...['railway.app', 'glitch.me', 'surge.sh', 'repl.co', 'replit.app', 'wordpress.com', 'blogspot.com', 'wixsite.com'],
  ...['ngrok.io', 'ngrok.app', 'ngrok-free.app', 'trycloudflare.com', 'loca.lt', 'nip.io', 'sslip.io'],
];
const SCRIPTS = {
  Latin: /\p{Script=Latin}/u,
  Greek: /\p{Script=Greek}/u,
  Cyrillic: /\p{Script=Cyrillic}/u,
  Armenian: /\p{Script=Armenian}/u,
  Cherokee: /\p{Script=Cherokee}/u,
};
/** Letters that look alike, to one of them. */
const LIKE: Record<string, string> = {
  ...{ а: 'a', с: 'c', е: 'e', о: 'o', р: 'p', х: 'x', у: 'y', і: 'i', ј: 'j', ѕ: 's', ԁ: 'd', һ: 'h', ո: 'n' },
  ...{ α: 'a', ο: 'o', ρ: 'p', ν: 'v', ι: 'i', κ: 'k', τ: 't', υ: 'u', '0': 'o', '1': 'l', '|': 'l', '5': 's' },
  ...{ ı: 'i', ɡ: 'g', ł: 'l' },
};
const LEAST_LENGTH = 5;

const folded = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
/** As a hurried reader sees it. */
const skeleton = (text: string): string =>
  [...folded(text)]
    .map((character) => LIKE[character] ?? character)
    .join('')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replaceAll('i', 'l')
    .replace(/[\s_-]+/g, ' ')
    .trim();

/** Whether letters of several scripts of one look stand together. */
const isMixed = (text: string): boolean => Object.values(SCRIPTS).filter((script) => script.test(text)).length > 1;

/** What a text is compared by. Worked out once for each of many. */
interface Appearance {
  text: string;
  folded: string;
  skeleton: string;
  /** Numbers tell things of one kind apart: `Notes 1` is no look-alike of `Notes 2`. Undefined where there are none. */
  withoutNumbers: string | undefined;
}

function appearanceOf(text: string): Appearance {
  const plain = folded(text);
  return {
    text,
    folded: plain,
    skeleton: skeleton(text),
    withoutNumbers: /\d/.test(text) ? plain.replace(/\d+/g, '') : undefined,
  };
}

function isNear(one: Appearance, other: Appearance): boolean {
  if (one.folded === other.folded) return false;
  if (one.withoutNumbers !== undefined && one.withoutNumbers === other.withoutNumbers) return false;
  const [a, b] = [one.skeleton, other.skeleton];
  if (Math.abs(a.length - b.length) > 1) return false;
  return a === b || (Math.min(a.length, b.length) >= LEAST_LENGTH && distance(a, b) === 1);
}

/** The host of a web address as people read it; undefined for others, and for this machine. */
function hostOf(uri: string): string | undefined {
  const url = URL.parse(uri);
  if (!url || !/^https?:$/.test(url.protocol) || isLoopback(url)) return undefined;
  return domainToUnicode(url.hostname) || url.hostname;
}

/** About what somebody registers: `shop.co.uk` of `login.shop.co.uk`. */
function siteOf(host: string): string {
  const labels = host.split('.');
  const short = labels.length > 2 && labels.at(-1)!.length === 2 && labels.at(-2)!.length <= 3;
  return labels.slice(short ? -3 : -2).join('.');
}

const sitesOf = ({ redirect_uris }: Looks): string[] => [
  ...new Set(redirect_uris.flatMap((uri) => hostOf(uri) ?? []).map(siteOf)),
];

/** All the apps that one could be taken for. */
export interface Crowd {
  names: { id: string | undefined; name: Appearance }[];
  /** Each once, with the apps that are there. */
  sites: { ids: Set<string | undefined>; site: Appearance }[];
}

export function crowdOf(apps: Looks[]): Crowd {
  const sites = new Map<string, Set<string | undefined>>();
  for (const app of apps)
    for (const site of sitesOf(app)) sites.set(site, (sites.get(site) ?? new Set<string | undefined>()).add(app.id));
  return {
    names: apps.map(({ id, name }) => ({ id, name: appearanceOf(name) })),
    sites: [...sites].map(([site, ids]) => ({ ids, site: appearanceOf(site) })),
  };
}

/** An app is not mistaken for itself. */
const isOther = (app: Looks, id: string | undefined): boolean => id === undefined || id !== app.id;

function aboutName(app: Looks, { names }: Crowd): Warning[] {
  const { name } = app;
  const own = appearanceOf(name);
  const near = names.find((other) => isOther(app, other.id) && isNear(own, other.name))?.name.text;
  return [
    ...(isMixed(name) ? [{ code: 'name_scripts', field: 'name', value: name } as const] : []),
    ...(near === undefined ? [] : [{ code: 'name_near', field: 'name', value: name, other: near } as const]),
  ];
}

function aboutHost(uri: string, known: Appearance[]): Warning[] {
  const host = hostOf(uri);
  if (host === undefined) return [];
  const field = 'redirect_uris' as const;
  const own = appearanceOf(siteOf(host));
  const near = known.find((site) => isNear(own, site))?.text;
  const found: Warning[] = [];
  if (host.split('.').some(isMixed)) found.push({ code: 'host_scripts', field, value: host });
  else if (/[^\x20-\x7e]/.test(host)) found.push({ code: 'host_international', field, value: host });
  if (near !== undefined) found.push({ code: 'host_near', field, value: host, other: near });
  const shared = SHARED.find((suffix) => host === suffix || host.endsWith(`.${suffix}`));
  if (shared !== undefined) found.push({ code: 'host_shared', field, value: host, other: shared });
  return found;
}

/** @param production loopback addresses are for this very machine: elsewhere a web app there is a left-over. */
export function lookAlikes(app: Looks, crowd: Crowd, production: boolean): Warning[] {
  const known = crowd.sites.filter(({ ids }) => [...ids].some((id) => isOther(app, id))).map(({ site }) => site);
  const left = app.redirect_uris.filter((uri) => {
    const url = URL.parse(uri);
    return production && app.type !== 'native' && url !== null && isLoopback(url);
  });
  const all = [
    ...aboutName(app, crowd),
    ...app.redirect_uris.flatMap((uri) => aboutHost(uri, known)),
    ...left.map((uri): Warning => ({ code: 'loopback', field: 'redirect_uris', value: uri })),
  ];
  return all.filter(
    ({ code, value }, index) => all.findIndex((one) => one.code === code && one.value === value) === index,
  );
}
