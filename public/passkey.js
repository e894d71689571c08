/*
 * Passkeys, where the browser has them; without this file, or without WebAuthn, a page loses nothing but what is `hidden` in it.
 * The asking itself is done by @simplewebauthn/browser (webauthn.js).
 *
 *   <form method="post" action="…" hidden data-passkey="get|create" data-options="…" [data-autofill]>
 *     <input type="hidden" name="_csrf"> <input type="hidden" name="credential">
 *     <div role="alert" hidden data-passkey-alert data-cancelled="…" data-failed="…" data-exists="…"></div>
 *     <button type="submit">…</button>
 *   </form>
 *   <button hidden data-passkey-only>…</button>
 *   <p hidden data-passkey-missing>…</p>
 */
/* global document, fetch, location, sessionStorage, setTimeout, clearTimeout, window, PublicKeyCredential, SimpleWebAuthnBrowser */
(() => {
  const { browserSupportsWebAuthn, browserSupportsWebAuthnAutofill, platformAuthenticatorIsAvailable } =
    SimpleWebAuthnBrowser;
  const { startAuthentication, startRegistration } = SimpleWebAuthnBrowser;
  if (!browserSupportsWebAuthn()) {
    for (const element of document.querySelectorAll('[data-passkey-missing]')) element.hidden = false;
    return;
  }

  /** A challenge is good for five minutes; a waiting page asks for a new one before that. */
  const RENEW_MS = 240_000;
  const UNKNOWN = 'gatehouse_passkey';
  const { offerCookie } = document.currentScript.dataset;
  let renewal;

  for (const element of document.querySelectorAll('[data-passkey-only]')) element.hidden = false;
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      ask(form);
    });
    if (form.dataset.unknown !== undefined) forgetUnknown();
    if (form.dataset.autofill !== undefined) {
      autofill(form);
      // Back from another page, in the browser's memory: what waited there has ended.
      window.addEventListener('pageshow', (event) => event.persisted && autofill(form));
    }
  }
  noteDevice();

  async function optionsFor(form) {
    const body = new URLSearchParams({ _csrf: form.elements._csrf.value });
    const response = await fetch(form.dataset.options, { method: 'POST', body, headers: { accept: 'application/json' } });
    if (!response.ok) throw new Error(`no options: ${response.status}`);
    return response.json();
  }

  function send(form, credential, rpId) {
    try {
      sessionStorage.setItem(UNKNOWN, JSON.stringify({ rpId, credentialId: credential.id }));
    } catch {
      // Storage is off: then the browser keeps offering a passkey that is not known here.
    }
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  }

  /** The person pressed the button. */
  async function ask(form) {
    const button = form.querySelector('button');
    const alert = form.querySelector('[data-passkey-alert]');
    alert.hidden = true;
    button.disabled = true;
    clearTimeout(renewal);
    try {
      const optionsJSON = await optionsFor(form);
      const start = form.dataset.passkey === 'create' ? startRegistration : startAuthentication;
      send(form, await start({ optionsJSON }), optionsJSON.rpId);
    } catch (error) {
      button.disabled = false;
      alert.hidden = false;
      alert.textContent = alert.dataset[problemOf(error)];
      button.focus();
      if (form.dataset.autofill !== undefined) autofill(form);
    }
  }

  function problemOf({ name, code }) {
    if (name === 'InvalidStateError' || code === 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED') return 'exists';
    return name === 'NotAllowedError' || name === 'AbortError' ? 'cancelled' : 'failed';
  }

  /** Lets the browser offer passkeys in the e-mail field. Whatever goes wrong, nobody asked for anything. */
  async function autofill(form) {
    clearTimeout(renewal);
    if (!(await browserSupportsWebAuthnAutofill())) return;
    renewal = setTimeout(() => autofill(form), RENEW_MS);
    try {
      const optionsJSON = await optionsFor(form);
      const credential = await startAuthentication({ optionsJSON, useBrowserAutofill: true });
      clearTimeout(renewal);
      send(form, credential, optionsJSON.rpId);
    } catch {
      // Overtaken by the button or by a newer challenge, or refused: the page is as it was.
    }
  }

  /** The passkey that was just sent is not known here: whoever keeps it may stop offering it. */
  async function forgetUnknown() {
    try {
      const unknown = JSON.parse(sessionStorage.getItem(UNKNOWN));
      if (unknown?.rpId) await PublicKeyCredential.signalUnknownCredential?.(unknown);
    } catch {
      // A courtesy, nothing more.
    }
  }

  /** Tells the server that a passkey could be made on this device, unless that was answered before. */
  async function noteDevice() {
    if (!offerCookie || document.cookie.includes(`${offerCookie}=`)) return;
    if (!(await platformAuthenticatorIsAvailable())) return;
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `${offerCookie}=able; Path=/; SameSite=Lax${secure}`;
  }
})();
