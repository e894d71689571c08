/*
 * Copies text, where there is JavaScript. The button is `hidden` in the HTML and shown here; without this file the page
 * loses nothing but the button.
 *
 *   <code id="issuer">https://…</code>
 *   <button type="button" hidden data-copy-target="issuer">…</button>
 */
/* global document, navigator, setTimeout, clearTimeout */

const announcer = document.createElement('span');
announcer.className = 'gh-sr';
announcer.setAttribute('role', 'status');
document.body.append(announcer);

for (const button of document.querySelectorAll('button[data-copy-target]')) {
  const target = document.getElementById(button.dataset.copyTarget);
  if (!target) continue;

  let timer;
  button.hidden = false;
  button.addEventListener('click', async () => {
    if (!(await copy(target))) return;
    button.dataset.state = 'copied';
    announcer.textContent = button.dataset.copiedLabel ?? '';
    clearTimeout(timer);
    timer = setTimeout(() => {
      delete button.dataset.state;
      announcer.textContent = '';
    }, 2000);
  });
}

/** Of a list one line for each of its items. */
function textOf(element) {
  const parts = element.tagName === 'OL' ? [...element.children] : [element];
  return parts.map((part) => part.textContent.trim()).join('\n');
}

/** True when the text is on the clipboard; otherwise it is left selected, one key press away. */
async function copy(element) {
  try {
    await navigator.clipboard.writeText(textOf(element));
    return true;
  } catch {
    // No clipboard outside https and localhost, or the person refused.
    document.getSelection().selectAllChildren(element);
    return false;
  }
}
