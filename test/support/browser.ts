/** A browser without a screen: keeps cookies, follows redirects and refreshes on the provider's origin, fills in forms. */
import { parse } from 'node-html-parser';
import type { HTMLElement } from 'node-html-parser';
import { CookieJar } from 'tough-cookie';

export interface Page {
  /** Where the journey ended; outside the provider's origin nothing is fetched. */
  url: URL;
  status: number;
  headers: Headers;
  text: string;
  html: HTMLElement;
}

const MOST_HOPS = 12;

export class Browser {
  readonly jar = new CookieJar();
  readonly #origin: string;
  headers: Record<string, string> = { accept: 'text/html,application/xhtml+xml', 'accept-language': 'en' };

  constructor(issuer: string) {
    this.#origin = new URL(issuer).origin;
  }

  /** One request without following anything. */
  async request(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const href = new URL(url, this.#origin).href;
    const cookie = await this.jar.getCookieString(href);
    const headers = { ...this.headers, ...(cookie ? { cookie } : {}), ...(init.headers as Record<string, string>) };
    const response = await fetch(href, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) await this.jar.setCookie(line, href, { ignoreError: true });
    return response;
  }

  async open(url: string | URL, init: RequestInit = {}): Promise<Page> {
    let target = new URL(url, this.#origin);
    let response = await this.request(target, init);
    for (let hop = 0; hop < MOST_HOPS; hop += 1) {
      const next =
        response.headers.get('location') ?? /^\d+;url=(.*)$/.exec(response.headers.get('refresh') ?? '')?.[1];
      if (!next) break;
      target = new URL(next, target);
      if (target.origin !== this.#origin)
        return { url: target, status: 0, headers: response.headers, text: '', html: parse('') };
      response = await this.request(target);
    }
    const text = await response.text();
    return { url: target, status: response.status, headers: response.headers, text, html: parse(text) };
  }

  /** Submits a form of `page` as pressing its button would: hidden fields, preset values and ticks, then `values`. */
  async submit(page: Page, values: Record<string, string | string[] | undefined> = {}, action = ''): Promise<Page> {
    const forms = page.html
      .querySelectorAll('form')
      .filter((form) => (form.getAttribute('action') ?? '').endsWith(action));
    const form =
      forms.find((one) => Object.keys(values).every((name) => one.querySelector(`[name="${name}"]`))) ?? forms[0];
    if (!form) throw new Error(`no form ${action} on ${page.url.href}: ${page.text.slice(0, 500)}`);
    const body = new URLSearchParams();
    for (const input of form.querySelectorAll('input')) {
      const name = input.getAttribute('name');
      const untickable =
        ['checkbox', 'radio'].includes(input.getAttribute('type') ?? '') && input.getAttribute('checked') === undefined;
      if (name && !untickable && !(name in values)) body.append(name, input.getAttribute('value') ?? '');
    }
    for (const area of form.querySelectorAll('textarea')) {
      const name = area.getAttribute('name')!;
      if (!(name in values)) body.append(name, area.text);
    }
    for (const select of form.querySelectorAll('select')) {
      const name = select.getAttribute('name')!;
      const option = select.querySelector('option[selected]') ?? select.querySelector('option');
      if (!(name in values)) body.append(name, option?.getAttribute('value') ?? '');
    }
    for (const [name, value] of Object.entries(values))
      for (const one of value === undefined ? [] : [value].flat()) body.append(name, one);
    return this.open(new URL(form.getAttribute('action') ?? '', page.url), {
      method: 'POST',
      body,
      headers: { origin: this.#origin, 'sec-fetch-site': 'same-origin' },
    });
  }
}
