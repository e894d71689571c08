/*
 * Looks again what became of the apps, in place: without this file the page reloads by itself instead, where scripts are off.
 * Goes on to the app when the page would.
 */
/* global document, DOMParser, fetch, location, setTimeout */

const EVERY_MS = 1000;

async function look() {
  const receipt = document.getElementById('receipt');
  const url = receipt?.dataset.again;
  if (!url) return;
  const response = await fetch(url, { headers: { accept: 'text/html' } });
  const [, next] = /^\d+;url=(.*)$/.exec(response.headers.get('refresh') ?? '') ?? [];
  if (next) {
    location.replace(next);
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const fresh = page.getElementById('receipt');
  if (!fresh) return;
  replaceText('#receipt-status', receipt, fresh);
  receipt.querySelector('ul').replaceWith(document.importNode(fresh.querySelector('ul'), true));
  receipt.dataset.again = fresh.dataset.again ?? '';
  again();
}

/** Only what has changed: what is read aloud shall not repeat itself. */
function replaceText(selector, before, after) {
  const text = after.querySelector(selector)?.textContent;
  const element = before.querySelector(selector);
  if (element && text !== undefined && element.textContent !== text) element.textContent = text;
}

function again() {
  setTimeout(() => look().catch(again), EVERY_MS);
}

again();
