// Ctrl-K or ⌘K: find anything. A combobox over a list that the server makes; without this script its link opens a page.
const palette = document.getElementById("palette");
const field = palette.querySelector("[role=combobox]");
const list = document.getElementById("palette-list");
let asked = 0, waiting = 0, opener = null, stale = false, wanted = false;

const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector("[aria-selected=true]");
const choose = (option) => {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
};
const look = async () => {
  const mine = ++asked;
  const answer = await fetch(`${palette.dataset.url}?${new URLSearchParams({ q: field.value })}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.headers.get("HX-Refresh")) return location.reload(); // the session has ended
  if (!answer?.ok || mine !== asked) return;
  list.innerHTML = await answer.text();
  list.scrollTop = 0;
  choose(options()[0]);
  stale = false;
  if (wanted) chosen()?.click(); // Enter was pressed before the answer was there
  wanted = false;
};
const open = () => {
  if (palette.open) return field.select();
  opener = document.activeElement;
  palette.showModal();
  field.value = "";
  field.focus();
  look();
};
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open();
  }
});
for (const link of document.querySelectorAll("[data-find]")) {
  link.setAttribute("role", "button");
  link.setAttribute("aria-haspopup", "dialog");
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  link.addEventListener("keydown", (event) => {
    if (event.key === " ") { event.preventDefault(); open(); }
  });
}
field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(look, 80);
  [stale, wanted] = [true, false]; // what is shown answers what was typed before
  choose(null);
});
field.addEventListener("keydown", (event) => {
  const all = options(), at = all.indexOf(chosen());
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 };
  if (event.key in moves && all.length) {
    event.preventDefault();
    const step = moves[event.key];
    choose(event.key.startsWith("Page") ? all[Math.min(Math.max(step, 0), all.length - 1)] : all[(step + all.length) % all.length]);
  } else if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    if (stale) { wanted = true; return; }
    const option = chosen();
    if (event.ctrlKey || event.metaKey) { if (option?.href) window.open(option.href, "_blank", "noopener"); } else option?.click();
  }
});
palette.addEventListener("click", (event) => {
  if (event.target === palette || event.target.closest("[data-close]")) palette.close();
});
palette.addEventListener("close", () => opener?.focus());
