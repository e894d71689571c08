/*
 * Where many things can be chosen, what is typed or picked from the proposals becomes a tick at once, and the next one can be typed.
 * Without this file it is chosen when the form is saved.
 *
 *   <fieldset><div class="gh-choices__list">…</div> <input name="roles" data-choices="roles" list="…"></fieldset>
 */
/* global document, Event */

const tickOf = (list, value) => [...list.querySelectorAll('input[type=checkbox]')].find((one) => one.value === value);

function addTick(list, name, value) {
  const label = document.createElement('label');
  label.className = 'gh-tick';
  const tick = Object.assign(document.createElement('input'), { type: 'checkbox', name, value, checked: true });
  const text = document.createElement('span');
  const shown = document.createElement('bdi');
  shown.className = 'gh-choices__value';
  shown.textContent = value;
  text.append(shown);
  label.append(tick, text);
  list.append(label);
  list.hidden = false;
}

/** What is not among the proposals of a closed list stays in the field, for the form to say so. */
function take(input) {
  const list = input.closest('fieldset').querySelector('.gh-choices__list');
  const offered = new Set([...(input.list?.options ?? [])].map(({ value }) => value));
  const left = [];
  for (const value of input.value.split(/\s+/).filter(Boolean)) {
    const tick = tickOf(list, value);
    if (tick) tick.checked = true;
    else if ('closed' in input.dataset && !offered.has(value)) left.push(value);
    else addTick(list, input.name, value);
  }
  input.value = left.join(' ');
}

function takeAndTell(input) {
  take(input);
  input.dispatchEvent(new Event('change', { bubbles: true }));
}

for (const input of document.querySelectorAll('input[data-choices]')) {
  // Not when the field is left: nothing moves from under the button that somebody is about to press.
  input.addEventListener('input', (event) => {
    if (event.inputType === undefined || event.inputType === 'insertReplacementText') takeAndTell(input);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || input.value.trim() === '') return;
    // It adds what was typed; the form is sent by its button, or by Enter once nothing is left to add.
    event.preventDefault();
    takeAndTell(input);
  });
}
