/* The page: it asks its own backend, which holds the tokens. What runs here, also a script that was smuggled in, finds none to take. */
/* global document, fetch, location */

const element = (id) => document.getElementById(id);

/** Every request says by this header that it comes from our own page. */
async function ask(path, init = {}) {
  const response = await fetch(path, { ...init, headers: { 'X-CSRF': '1' } });
  if (response.status === 401) location.assign('/bff/sign-in');
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

async function show() {
  const { person } = await ask('/bff/session');
  element('sign-in').hidden = person !== null;
  element('sign-out').hidden = person === null;
  if (person === null) {
    element('hello').textContent = location.search === '?refused' ? 'You are not signed in.' : 'Sign in to see your notes.';
    return;
  }
  element('hello').textContent = `Hello, ${person.name ?? person.sub}`;
  const { notes } = await ask('/bff/api/notes');
  element('notes').replaceChildren(
    ...notes.map((note) => Object.assign(document.createElement('li'), { textContent: note })),
  );
}

element('sign-out').addEventListener('click', async () => {
  const { next } = await ask('/bff/sign-out', { method: 'POST' });
  location.assign(next);
});

await show().catch((error) => (element('hello').textContent = error.message));
