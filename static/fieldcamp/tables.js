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
