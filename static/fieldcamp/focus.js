// The theme hides the page until it is ready, which makes browsers forget the field that asks for the focus.
window.addEventListener("load", () => document.querySelector("[autofocus]")?.focus());
