/** What must hold of every page, whatever is on it: asked of a page that is open in Chromium. Each answer is a list of what is wrong. */
import type { Page } from 'playwright-core';
import { violations } from './chromium.ts';

/** 320 px is a small phone, and a 1280 px window at 400 %; 640 px is that window at 200 %. */
const NARROW = [320, 640];
const DESKTOP = { width: 1280, height: 800 };

/** WCAG 2.2, 1.4.10: nothing makes the page scroll sideways. */
async function tooWide(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const width of NARROW) {
    await page.setViewportSize({ width, height: 640 });
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
    if (wide > width) found.push(`is ${wide} px wide at ${width} px`);
  }
  await page.setViewportSize(DESKTOP);
  return found;
}

/** Notes, for all that a person can act on, how it looks, and how it looks when the focus comes to it. */
const WATCH_FOCUS = `(() => {
  /** An outline: forced colours keep that, and drop shadows and backgrounds. */
  const ring = (element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle === 'none' ? 0 : parseFloat(outlineWidth);
  };
  const nameOf = (one) =>
    one.tagName.toLowerCase() + (one.id ? '#' + one.id : '') + ' "' + (one.textContent.trim() || one.name || '').slice(0, 40) + '"';
  document.activeElement?.blur();
  window.scrollTo(0, 0);
  const controls = [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex="0"]',
  )].filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled);
  const before = new Map(controls.map((one) => [one, ring(one)]));
  const seen = new Set();
  const problems = [];
  document.addEventListener('focusin', ({ target }) => {
    if (!before.has(target) || seen.has(target)) return;
    seen.add(target);
    if (ring(target) < 2 || before.get(target) > 0) problems.push(nameOf(target) + ' does not show its focus');
  });
  window.gatehouseFocusGaps = () => {
    // The focus is inside of a frame, which shows it itself.
    for (const frame of document.querySelectorAll('iframe')) seen.add(frame);
    document.activeElement?.blur();
    return [...problems, ...controls.filter((one) => !seen.has(one)).map((one) => nameOf(one) + ' is not reached by Tab')];
  };
  // Day, month, year and the calendar's button are stops of their own.
  return controls.length + 3 * controls.filter((one) => one.type === 'date').length;
})()`;

/** The focus begins where the page put it, and leaves the page once on its way round; it may stop inside of a frame. */
const LEAVING = 2;
const STOPS_IN_A_FRAME = 10;

/** WCAG 2.2, 2.1.1 and 2.4.7: whatever can be acted on is reached by Tab, and shows it. */
async function keyboardGaps(page: Page): Promise<string[]> {
  const count = await page.evaluate<number>(WATCH_FOCUS);
  const frames = page.frames().length - 1;
  const press = () => page.keyboard.press('Tab');
  // All at once, as each takes a while to come back; but a frame has to take the focus before the next one.
  if (frames === 0) await Promise.all(Array.from({ length: count + LEAVING }, press));
  else for (let left = count + LEAVING + frames * STOPS_IN_A_FRAME; left > 0; left -= 1) await press();
  return page.evaluate<string[]>('window.gatehouseFocusGaps()');
}

const STILL_MOVING = `[...document.querySelectorAll('*')].flatMap((one) =>
  [null, '::before', '::after'].filter((part) => {
    const style = getComputedStyle(one, part);
    const lasting = (times) => times.split(',').some((time) => parseFloat(time) > 0.001);
    return lasting(style.transitionDuration) || (style.animationName !== 'none' && lasting(style.animationDuration));
  }).map((part) => one.tagName.toLowerCase() + '.' + one.className + (part ?? '') + ' moves'),
)`;

/** WCAG 2.2, 2.3.3: nothing moves for who asked for less motion, as the browser does here. */
const motion = (page: Page): Promise<string[]> => page.evaluate<string[]>(STILL_MOVING);

/** Fields and messages of forms: what points to something points to something that says something. */
const FORM_PROBLEMS = `(() => {
  const text = (id) => document.getElementById(id)?.textContent.trim();
  const shown = (one) => one.checkVisibility();
  const alerts = [...document.querySelectorAll('[role=alert]')].filter(shown);
  const wrong = [...document.querySelectorAll('[aria-invalid=true]')].filter(shown);
  return [
    ...[...document.querySelectorAll('[aria-describedby]')].flatMap((one) =>
      one.getAttribute('aria-describedby').split(/\\s+/).filter((id) => !text(id)).map((id) => one.id + ' is described by ' + id + ', which says nothing')),
    ...wrong.filter((one) => !one.hasAttribute('aria-describedby')).map((one) => one.id + ' is wrong, and nothing says why'),
    ...(wrong.length > 0 && alerts.length === 0 ? ['nothing sums up what is wrong'] : []),
    ...(wrong.length > 1 ? wrong.filter((one) => !alerts.some((alert) => alert.querySelector('a[href="#' + one.id + '"]') ||
      one.getAttribute('aria-describedby').split(/\\s+/).includes(alert.id))).map((one) => 'the summary leaves ' + one.id + ' out') : []),
    ...alerts.filter((one) => one.textContent.trim() === '').map(() => 'an alert says nothing'),
    ...alerts.flatMap((one) => [...one.querySelectorAll('a[href^="#"]')]).filter((link) => !document.querySelector(link.getAttribute('href')))
      .map((link) => 'the summary leads to ' + link.getAttribute('href') + ', which is not there'),
  ];
})()`;

export const formProblems = (page: Page): Promise<string[]> => page.evaluate<string[]>(FORM_PROBLEMS);

/** Everything that is wrong with the page that is open. */
export async function pageProblems(page: Page): Promise<string[]> {
  // First, as axe's own look at the page leaves marks in it.
  const found = [...(await keyboardGaps(page)), ...(await formProblems(page)), ...(await tooWide(page))];
  found.push(...(await violations(page)));
  found.push(...(await motion(page)));
  return found;
}

/** Sends the first form that wants something typed as it is, empty, past the browser's own checks. @returns the status, or undefined where there is none. */
export async function sendEmptyForm(page: Page): Promise<number | undefined> {
  const form = page.locator('main form:has(input[required]):not([hidden])').first();
  if ((await form.count()) === 0) return undefined;
  const answered = page.waitForResponse((response) => response.request().method() === 'POST');
  const loaded = page.waitForEvent('load');
  await form.evaluate((one) => {
    const form = one as unknown as {
      noValidate: boolean;
      requestSubmit(): void;
      querySelectorAll(of: string): object[];
    };
    for (const field of form.querySelectorAll('input[required]')) Object.assign(field, { value: '' });
    form.noValidate = true;
    form.requestSubmit();
  });
  const [response] = await Promise.all([answered, loaded]);
  return response.status();
}
