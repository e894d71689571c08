/* Sends the answer on to the app by itself. Without this file, or without scripts, its button does. */
/* global document */

document.getElementById('form-post')?.requestSubmit();
