// On a phone a table's row is laid out as lines (shell.css), and each cell bears the name of its column. Without this
// script such a table scrolls within its own frame.
const nameColumns = () => {
  for (const table of document.querySelectorAll("table.fc-table:not([data-named], .fc-sides, .fc-uses, .fc-scopes)")) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    table.dataset.named = "";
    if (heads.length < 3) continue;
    table.dataset.lines = "";
    for (const row of table.tBodies[0]?.rows ?? []) {
      [...row.cells].forEach((cell, at) => { if (at && heads[at]) cell.dataset.label = heads[at]; });
    }
  }
};
nameColumns();
document.addEventListener("htmx:afterSettle", nameColumns);
// What the theme makes clickable by its scripts alone becomes a stop with a role and a name; its icons are not read out.
const words = document.getElementById("keys-help")?.dataset ?? {};
const press = (event) => {
  if (event.key !== "Enter" && event.key !== " ") return;
  event.preventDefault();
  event.currentTarget.click();
};
const nameControls = () => {
  for (const icon of document.querySelectorAll(".material-symbols-outlined:not([aria-hidden])")) icon.ariaHidden = "true";
  for (const one of document.querySelectorAll("#main [x-on\\:click]:not([role], a[href], button, input, summary, form)")) {
    one.setAttribute("role", "button");
    one.tabIndex = 0;
    one.addEventListener("keydown", press);
  }
  for (const one of document.querySelectorAll("#main :is(a[href], button, [role=button]):not([aria-label], [data-seen])")) {
    one.dataset.seen = "";
    const shown = [...one.childNodes].map((node) => (node.ariaHidden === "true" ? "" : node.textContent)).join("").trim();
    if (shown || one.querySelector("img[alt]:not([alt=''])")) continue;
    const name = one.title || one.querySelector("[title]")?.title || (one.id === "searchbar-submit" ? words.search : words.more);
    if (name) one.setAttribute("aria-label", name);
  }
};
nameControls();
addEventListener("load", nameControls);
document.addEventListener("htmx:afterSettle", nameControls);
