// Keys in a list of problems: j and k walk, Enter opens, e gives the harmless answer (what is marked with data-key="e",
// else "ignore", which can be undone), ? shows the keys. Never while something is typed, and never with Ctrl, Alt or ⌘.
const cards = () => [...document.querySelectorAll("main .fc-problem")].filter((card) => card.checkVisibility());
const typing = (element) => element.closest("input, textarea, select, [contenteditable], dialog, [role=combobox]");
const help = document.getElementById("keys-help");
let last = 0;

const here = () => document.activeElement.closest?.("main .fc-problem");
const go = (card) => {
  if (!card) return;
  last = cards().indexOf(card);
  if (!card.hasAttribute("tabindex")) card.tabIndex = -1;
  card.focus();
  card.scrollIntoView({ block: "nearest" });
};
const walk = (step) => {
  const all = cards(), at = all.indexOf(here());
  go(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)]);
};
const keys = {
  j: () => walk(1),
  k: () => walk(-1),
  e: () => {
    const card = here();
    const answer = card?.querySelector('[data-key="e"]') ?? card?.querySelector('form[action$="/ignore/"] button');
    answer?.click();
  },
  Enter: () => { const card = here(); if (card) location.assign(card.dataset.open ?? help.dataset.problem.replace("ID", card.id)); },
  "?": () => help?.showModal(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || typing(event.target)) return;
  const act = keys[event.key];
  if (!act || !cards().length) return;
  if (event.key === "Enter" && !event.target.matches(".fc-problem")) return; // a link or button answers for itself
  event.preventDefault();
  act();
});
// When a card has given way to what came of it, the next key goes on from there.
document.addEventListener("htmx:afterSwap", () => {
  if (document.activeElement === document.body) { const all = cards(); if (all.length && last) go(all[Math.min(last, all.length - 1)]); }
});
help?.addEventListener("click", (event) => { if (event.target === help) help.close(); });
